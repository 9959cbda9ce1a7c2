"""Conformance suites for adapters: subclass one in a test, say what it is about, and pytest runs the promises."""
