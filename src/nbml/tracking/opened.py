"""The blocks that are open, and which of them the running code belongs to.

A task of asyncio belongs to the block that it was started in, also while other blocks are open; a thread to the innermost
one, unless it worked for one that has ended since: what a straggler says must not be taken for another run's.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import Any

#: outermost first
_open: list[Any] = []
_here: ContextVar[Any] = ContextVar("nbml-block", default=None)
_thread = threading.local()
_count = 0


def enter(block: Any) -> None:
    """From now on ``block`` is open, and the innermost of this task and thread."""
    global _count
    _count += 1
    _open.append(block)
    _here.set(block)
    _thread.block = block


def leave(block: Any) -> None:
    """``block`` is over; this task and thread go on with the one around it."""
    if block in _open:
        _open.remove(block)
    around = here_before(block)
    if _here.get() is block:
        _here.set(around)
    if getattr(_thread, "block", None) is block:
        _thread.block = around


def here_before(block: Any) -> Any:
    """The innermost open block around one that is over."""
    around = getattr(block, "around", None)
    while around is not None and around not in _open:
        around = getattr(around, "around", None)
    return around


def here() -> Any:
    """The block that the running code belongs to, open or over; None where there is none."""
    block = _here.get()
    if block is None:
        block = getattr(_thread, "block", None)
        if block is None and _open:
            block = _thread.block = _open[-1]
    return block


def innermost() -> Any:
    """The innermost open block, or None."""
    return _open[-1] if _open else None


def count() -> int:
    """How many blocks were opened so far."""
    return _count


def any_open() -> bool:
    """Whether a block is open."""
    return bool(_open)
