"""``%nbml`` and ``%%nbml`` in a notebook or in IPython: a thin skin over the public functions."""

from __future__ import annotations

from nbml.magics.session import load, unload

__all__ = ["load", "unload"]
