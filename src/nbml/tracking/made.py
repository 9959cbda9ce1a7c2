"""Which run fitted a model: asked where it is packaged. Holds no model alive."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nbml.store import Store, Thing

#: id of a model -> itself, the run that fitted it last and what tells whether it was fitted since
_made: dict[int, tuple[weakref.ref[Any], Store, Thing, frozenset[tuple[str, int]]]] = {}


class Made:
    """Listens to the fits of a run's block."""

    def __init__(self, store: Store, run: Thing) -> None:
        self.store, self.run = store, run

    def fitted(self, estimator: Any, args: tuple[Any, ...], kwargs: dict[str, Any], method: str) -> None:
        """A fit ended: the model is this run's; a search's best is, too."""
        for model in (estimator, getattr(estimator, "best_estimator_", None)):
            if model is not None:
                with suppress(TypeError):  # of a class that nothing can refer to weakly
                    _made[id(model)] = weakref.ref(model, _forgets(id(model))), self.store, self.run, _marks(model)

    def nested(self) -> None:
        """A fit inside another call is no model of its own."""

    def called(self, estimator: Any, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """An answer makes no model."""

    def validated(self, function_name: str, estimator: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """A cross-validation fits copies."""

    def split(self, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """A split makes no model."""

    def scored(self, metric_name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """A score makes no model."""


def maker(store: Store, model: Any) -> Thing | None:
    """The run in ``store`` whose block fitted ``model``; None where none did, or where it was fitted again outside of one."""
    ref, where, run, marks = _made.get(id(model), (None, None, None, frozenset()))
    same = ref is not None and ref() is model and where is not None and where.root == store.root
    return run if same and _marks(model) == marks else None


def _forgets(key: int) -> Callable[[Any], None]:
    def forget(_: Any) -> None:
        _made.pop(key, None)

    return forget


def _marks(model: Any) -> frozenset[tuple[str, int]]:
    """What a fit puts in place anew, in a pipeline that of its steps."""
    own = vars(model) if hasattr(model, "__dict__") else {}
    steps = own.get("steps")
    inner = [_marks(step[-1]) for step in steps if isinstance(step, tuple) and step] if isinstance(steps, list) else []
    return frozenset((name, id(value)) for name, value in own.items() if name.endswith("_")).union(*inner)
