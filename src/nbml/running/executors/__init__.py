"""Executors: where Jobs run. One file each, found by entry point (group ``nbml.executors``)."""
