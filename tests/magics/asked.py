"""What the tests of the magics ask a shell."""

from __future__ import annotations

from typing import Any

import pandas as pd

#: a frame with a fault or two, of the size at which drift is no question
FRAME = pd.DataFrame({"age": [20, 30, 40] * 20, "plan": ["basic", "pro", "basic"] * 20})


def run(shell: Any, source: str) -> Any:
    """The value of a cell, which must not fail."""
    result = shell.run_cell(source, store_history=True)
    assert result.success, result.error_before_exec or result.error_in_exec
    return result.result


def refused(shell: Any, source: str, typed: bool = True) -> str:
    """The whole text of a cell's error. Where it proposes a line, that line is typed, and has to work."""
    result = shell.run_cell(source, store_history=True)
    error = result.error_before_exec or result.error_in_exec
    assert error is not None, f"not refused: {source}"
    if typed and getattr(error, "next", None):
        body = source.partition("\n")[1:]
        line = error.next if not error.next.startswith("%%") else error.next + ("".join(body) if body[1] else "\nrows > 0")
        run(shell, line)
    return f"{type(error).__name__}: {error}"
