"""Functions of scikit-learn that tell of their calls while a block runs.

The code of the function itself is exchanged, and put back: the function stays the very same object, so that nothing which
was made or imported inside the block, by whatever name, holds anything of ours afterwards. Other processes get these
functions by their names, and so without us.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

#: what is asked for each call: the original, then what the function was called with
Ask = Callable[[FunctionType, tuple[Any, ...], dict[str, Any]], Any]

VALIDATION = ("cross_val_score", "cross_validate", "cross_val_predict", "learning_curve", "validation_curve", "permutation_test_score")
SPLIT = "train_test_split"
METRICS = "sklearn.metrics"
SELECTION = "sklearn.model_selection"
#: variable-length arguments and nothing else: what scikit-learn's validated functions take
_OPEN = 0x04 | 0x08
#: stands in the code where the function is to be that is told
TOLD = "told"

_tapped: dict[FunctionType, CodeType] = {}


def tap(kinds: dict[str, Callable[[str], Ask]]) -> None:
    """Exchange the code of all loaded functions: of each kind ("scored", "validated", "split") what ``kinds`` makes for a name."""
    metrics, selection = sys.modules.get(METRICS), sys.modules.get(SELECTION)
    if metrics is not None:
        for name in getattr(metrics, "__all__", ()):
            function = getattr(metrics, name, None)
            if _scores(function):
                _exchange(function, kinds["scored"](name))
    if selection is not None:
        for name in (*VALIDATION, SPLIT):
            _exchange(getattr(selection, name, None), kinds["split" if name == SPLIT else "validated"](name))


def untap() -> None:
    """Put all code back."""
    while _tapped:
        function, code = next(iter(_tapped.items()))
        function.__code__ = code
        del _tapped[function]


def _scores(function: Any) -> bool:
    """Whether a function compares true values with answers."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    return code is not None and code.co_varnames[:1] == ("y_true",)


def _exchange(function: Any, ask: Ask) -> None:
    if type(function) is not FunctionType or function in _tapped:
        return
    code = function.__code__
    if code.co_flags & _OPEN != _OPEN or code.co_argcount or code.co_kwonlyargcount:
        return
    twin = FunctionType(code, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    like = _telling(code.co_freevars)
    consts = tuple((lambda args, kwargs: ask(twin, args, kwargs)) if const == TOLD else const for const in like.co_consts)
    new = like.replace(co_consts=consts, co_name=code.co_name, co_filename=code.co_filename, co_firstlineno=code.co_firstlineno)
    _tapped[function] = code
    function.__code__ = new


@functools.cache
def _telling(closed: tuple[str, ...]) -> CodeType:
    """Code of ``def f(*args, **kwargs)`` over variables of these names, which hands its arguments to the constant ``TOLD``."""
    lines = [
        f"def outer({', '.join(closed)}):",
        "    def f(*args, **kwargs):",
        "        __tracebackhide__ = True",
        f"        told = {TOLD!r}",
        "        return told(args, kwargs)",
        f"        {', '.join(closed) or 'None'}",
        "    return f",
    ]
    names: dict[str, Any] = {}
    exec("\n".join(lines), names)  # noqa: S102 - the names of a closure's variables, and nothing else
    code: CodeType = names["outer"](*closed).__code__
    return code
