"""The last steps of a model as a file of ONNX, by skl2onnx, in doubles; executors of ours run the steps before.

skl2onnx makes a file of nearly any model of scikit-learn, but not nearly of each is the answer the model's: many kernels compute in
single precision. So what comes out is tried harder than an executor of ours (``boundaries``), and is not taken where it is slower.
"""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from nbml.packaging import bridge, proof
from nbml.packaging.translating import models, probing, steps
from nbml.packaging.translating.schema import Json, Schema, Untranslatable, genuine, known, of

#: the libraries by which it is done
NEEDED = ("skl2onnx", "onnx", "onnxruntime")
#: whose distances skl2onnx else computes row by row, 10 times slower
_DISTANCES = ("KNeighborsClassifier", "KNeighborsRegressor", "GaussianProcessRegressor", "KNNImputer")
#: of which modules the values may be that a fitted model holds: of what they do, the converter and the probes know
HOMES = ("sklearn", "numpy", "scipy", "builtins", "pandas")
#: rows of a batch by which both ways are timed, how often one row and a batch, and the seconds after which it is enough
BATCH, ROUNDS, BATCHES, ENOUGH = 1_000, 15, 5, 1.0


def lacking() -> str:
    """The sentence of a manifest where ONNX cannot be tried; "" where all is installed."""
    from importlib.util import find_spec

    missing = next((name for name in NEEDED if find_spec(name) is None), None)
    return f"ONNX was not tried: {missing} is not installed (%pip install 'nbml[onnx]')" if missing else ""


def needs() -> tuple[str, ...]:
    """What a service needs for it, pinned."""
    return (pins()[-1],)


def pins() -> list[str]:
    """The libraries as they are installed."""
    return [f"{name}=={version(name)}" for name in NEEDED]


def plan(target: Any, manifest: Mapping[str, Any]) -> tuple[Json, str]:
    """The plan of a model whose last steps ONNX computes, and which these are. Raises Untranslatable."""
    before, schema, tail = _split(target, of(target, manifest))
    for value in tail:
        _known(value, set())
    names = " and ".join(type(value).__name__ for value in tail)
    before = [*before, *schema.numbers(type(tail[0]).__name__)]
    if len(schema) != tail[0].n_features_in_:
        raise Untranslatable(f"{type(tail[0]).__name__} was fitted on {tail[0].n_features_in_} columns")
    nodes = [*before, _node(tail, len(schema), probabilities="classes" in manifest["output"])]
    node, said = models.dressed(target, nodes, known(manifest))
    form = {key: manifest["output"][key] for key in ("kind", "dtype") if key in manifest["output"]}
    return {"model": node, **said, "form": said["form"] | form, "probabilities": "classes" in manifest["output"]}, names


def _split(value: Any, schema: Schema) -> tuple[list[Json], Schema, list[Any]]:
    """The nodes of the first steps, as many as there are executors for, what comes out, and the fitted steps that are left."""
    while genuine(value) in models.SEARCHES:
        value = value.best_estimator_
    if genuine(value) != "Pipeline":
        return [], schema, [value]
    inner = [step for _, step in value.steps[:-1] if step is not None and not isinstance(step, str)]
    nodes: list[Json] = []
    for at, one in enumerate(inner):
        try:
            more, schema = steps.step(one, schema)
        except Untranslatable:
            return nodes, schema, [*inner[at:], value.steps[-1][1]]
        nodes += more
    more, schema, tail = _split(value.steps[-1][1], schema)
    return [*nodes, *more], schema, tail


def _known(value: Any, seen: set[int]) -> None:
    """Raises Untranslatable for a value that a stranger wrote, a function or an object, wherever in a model it is held."""
    import numpy as np
    from sklearn.base import BaseEstimator

    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, BaseEstimator):
        genuine(value)
    home = getattr(value, "__module__", None) or type(value).__module__
    if home.partition(".")[0] not in HOMES:
        raise Untranslatable(f"{getattr(value, '__name__', type(value).__name__)} is not of scikit-learn")
    inside: Any = ()
    if isinstance(value, Mapping):
        inside = value.values()
    elif isinstance(value, (list, tuple, set)) or (isinstance(value, np.ndarray) and value.dtype == object):
        inside = np.ravel(value) if isinstance(value, np.ndarray) else value
    elif not isinstance(value, type):
        inside = getattr(value, "__dict__", {}).values()
    for one in inside:
        if not isinstance(one, (str, bytes, int, float, bool, type(None))):
            _known(one, seen)


def _node(tail: list[Any], width: int, *, probabilities: bool) -> Json:
    """The node of fitted steps on a matrix of doubles."""
    from nbml.runtime.executors import sessions

    classes = getattr(tail[-1], "classes_", None)
    labels = None if classes is None else bridge.plain(classes)
    if labels is not None and not ({type(label) for label in labels} <= {str} or {type(label) for label in labels} <= {int}):
        raise Untranslatable(f"ONNX has no {type(labels[0]).__name__} as a class")
    sessions.library()  # before anything else imports it
    with proof.quiet():
        content, outputs = _converted(tail, width, classifies=classes is not None)
    outputs = outputs[: 2 if probabilities else 1]
    nulls = bool(tail[0].__sklearn_tags__().input_tags.allow_nan)
    return {"op": "onnx", "file": content, "outputs": outputs, "labels": labels, "nulls": nulls}


def _converted(tail: list[Any], width: int, *, classifies: bool) -> tuple[bytes, list[str]]:
    """The file, and the names of its outputs. Raises Untranslatable where skl2onnx makes none."""
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import DoubleTensorType
    from sklearn.pipeline import Pipeline

    tail = copy.deepcopy(tail)  # some converters write into what they read
    model = tail[0] if len(tail) == 1 else Pipeline([(f"step{at}", value) for at, value in enumerate(tail)])
    options: dict[int, Json] = {id(value): {"optim": "cdist"} for value in tail if type(value).__name__ in _DISTANCES}
    if classifies:
        options.setdefault(id(tail[-1]), {})["zipmap"] = False
    kind = [("X", DoubleTensorType([None, width]))]
    try:
        try:
            made = convert_sklearn(model, "model", kind, options=options)
        except NameError:  # a classifier without this option has no such table anyway
            made = convert_sklearn(model, "model", kind)
    except Exception as error:  # any: converters fail in many ways
        raise Untranslatable(f"ONNX has it not: {_line(error)}") from error
    return made.SerializeToString(), [one.name for one in made.graph.output]


def _line(error: Exception) -> str:
    """The first sentence of what a converter or ONNX Runtime says."""
    text = " ".join(str(error).partition("\n")[0].split())
    text = text.partition("It usually means")[0].strip()
    return f"{type(error).__name__}: {text[:160]}".rstrip(".")


def slower(target: Any, manifest: Mapping[str, Any], answer: Callable[[Any], Any], sent: Sequence[Mapping[str, Any]]) -> str:
    """How much longer one row, or one of many, takes by ONNX than by the library, each in one thread; "" where neither does."""
    import threadpoolctl

    library = bridge.Bridge(manifest, target).answer
    rows = [dict(row) for row in sent]
    one, many = probing.columns_of(rows[:1]), probing.columns_of(list(itertools.islice(itertools.cycle(rows), BATCH)))
    with threadpoolctl.threadpool_limits(1), proof.quiet():
        for columns, rounds, what in ((one, ROUNDS, "one row takes"), (many, BATCHES, f"{BATCH:,} rows take")):
            theirs, ours = _best((library, answer), columns, rounds)
            if ours > theirs:
                return f"{what} {ours / theirs:.1f} times as long by ONNX as by the library"
    return ""


def _best(ways: Sequence[Callable[[Any], Any]], columns: Any, rounds: int) -> list[float]:
    """The least seconds of each way, asked in turns."""
    best = [float("inf")] * len(ways)
    for _ in _until_enough(rounds):
        for at, way in enumerate(ways):
            start = time.perf_counter()
            way(columns)
            best[at] = min(best[at], time.perf_counter() - start)
    return best


def _until_enough(rounds: int) -> Iterator[int]:
    start = time.perf_counter()
    for number in range(rounds):
        yield number
        if time.perf_counter() - start > ENOUGH:
            return
