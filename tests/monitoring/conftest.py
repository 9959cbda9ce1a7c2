"""The project of these tests holds packaged services; after each test nothing of it runs."""

from serving import project, served

__all__ = ["project", "served"]
