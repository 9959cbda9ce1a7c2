"""The blocks that are open, and which of them the running code belongs to.

A task of asyncio belongs to the block that it was started in, also while other blocks are open; a thread to the innermost
one, unless it worked for one that has ended since: what a straggler says must not be taken for another run's.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from contextvars import ContextVar
from typing import Any

from nbml.tracking import after

#: outermost first
_open: list[Any] = []
#: the last runs that ended in this process and have not been told of since
ended: deque[Any] = deque(maxlen=50)
inside: ContextVar[Any] = ContextVar("nbml-block", default=None)
_thread = threading.local()
_count = 0
#: whether forks are heard of, and whether this process is one that a block's process made
_watched = _child = False


def enter(block: Any) -> None:
    """From now on ``block`` is open, and the innermost of this task and thread."""
    global _count, _watched, _child
    if not _watched:
        _watched = True
        os.register_at_fork(after_in_child=_forked)
    _count += 1
    if _child:  # the blocks of the process that this one is a copy of are not its own
        _child = False
        _open.clear()
    _open.append(block)
    inside.set(block)
    _thread.block = block


def _forked() -> None:
    global _child
    _child = bool(_open)


def is_child() -> bool:
    """Whether the open blocks are those of another process, of which this one is a copy."""
    return _child


def leave(block: Any) -> None:
    """``block`` is over; this task and thread go on with the one around it."""
    if block in _open:
        _open.remove(block)
    around = here_before(block)
    if inside.get() is block:
        inside.set(around)
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
    block = inside.get()
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


def take_known() -> list[Any]:
    """Those of ``ended`` about which all is known; they are told of once."""
    every = [ended.popleft() for _ in range(len(ended))]
    ended.extend(run for run in every if after.pending(run._thing.id))
    return [run for run in every if run not in ended]
