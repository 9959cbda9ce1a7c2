"""The proof: in a fresh process, the packaged code must give on real rows what the model gives in the notebook."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbml import errors
from nbml.packaging import bridge, exchange, inputs
from nbml.packaging.causes import Mismatch

#: how far floats may lie apart, as a share of the larger
RELATIVE = 1e-9
#: and probabilities, whatever their size: 1 - p of a p near 1 has no more digits than this
ROUNDING = 1e-15
#: how far an answer alone may lie from the same among others before it is told: single precision, other ways through BLAS
SINGLE = 1e-4
#: rows that a mismatch shows
SHOWN = 20
#: what a fresh process runs
PROGRAM = Path(__file__).parent / "bento" / "respond.py"
#: seconds that a fresh process may take
LIMIT = 600.0
#: what a fresh process sees of this one's environment, beside the variables that the code reads
ENVIRONMENT = ("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "OMP_NUM_THREADS",
               "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES")  # fmt: skip


@dataclass(frozen=True)
class Expected:
    """What the model gives in the notebook for ``rows``, as JSON values; ``form`` is the manifest's output."""

    rows: inputs.Rows
    sent: list[dict[str, Any]]
    predictions: list[Any]
    probabilities: dict[str, Any] | None
    form: dict[str, Any]
    warnings: tuple[str, ...] = ()


class Model:
    """A model or a predict function of the notebook, asked quietly; ``word`` is its name there."""

    def __init__(self, target: Any, entry: str, word: str) -> None:
        self.target, self.entry, self.word = target, entry, word

    def ask(self, data: Any) -> Any:
        with quiet():
            return bridge.asked(self.target, self.entry)(data)

    def classes(self) -> Any:
        """The classes whose probabilities the model gives, or None."""
        has = self.entry == "model" and hasattr(self.target, "predict_proba")
        return getattr(self.target, "classes_", None) if has else None

    def probabilities(self, data: Any) -> Any:
        with quiet():
            return self.target.predict_proba(data)

    def call(self) -> str:
        return f"{self.word}.predict(...)" if hasattr(self.target, "predict") else f"{self.word}(...)"


def expected(model: Model, rows: inputs.Rows) -> Expected:
    """Ask the model of the notebook. Raises errors.ProofFailed where it fails itself, or answers differently when asked again."""
    positions = inputs.choose(rows)
    notes: list[str] = []
    chosen = rows.take(positions)
    try:
        value = model.ask(chosen.copy())
    except Exception as error:
        full = inputs.without_nulls(rows, positions)
        if not full or len(full) == len(positions):
            raise _fails(model, error) from error
        notes.append(f"rows with nulls are refused by the model ({_short(error)}); it is proven on rows without")
        chosen = rows.take(full)
        try:
            value = model.ask(chosen.copy())
        except Exception as second:
            raise _fails(model, second) from second
    form, predictions = _form(model, value, chosen)
    again = bridge.predictions_of(model.ask(chosen.copy()))
    difference = first_difference(predictions, again)
    if difference is not None:
        row, _, one, two = difference
        raise errors.ProofFailed(
            f"{model.call()} answers differently when asked again: row {row}: {_show(one)}, then {_show(two)}; "
            "randomness needs a seed inside it, and a time, or what it has counted, must come in a column"
        )
    probabilities = _probabilities(model, chosen, form, notes)
    _width(model, value, predictions, form, chosen)
    _comes_back(model, value, predictions, form, chosen)
    notes += _alone(model, chosen, predictions)
    sent = exchange.rows_of(chosen.data, {"inputs": rows.inputs, "input": rows.kind})
    return Expected(chosen, sent, predictions, probabilities, form, tuple(notes))


def request(want: Expected) -> dict[str, Any]:
    """What a fresh process is asked: the rows, whatever the suite says of them, and what it loaded for that."""
    return {"rows": want.sent, "policy": "off", "told": True}


def compare(want: Expected, got: Mapping[str, Any], name: str) -> Mismatch | None:
    """What differs between ``want`` and the answer of a fresh process. Raises errors.ProofFailed where that is none."""
    if "failed" in got:
        raise errors.ProofFailed(f"{name} is not proven: its code fails outside the notebook: {told(got['failed'])}")
    if "rejected" in got:
        first = got["rejected"]["problems"][0] if got["rejected"]["problems"] else {}
        raise errors.ProofFailed(
            f"{name} is not proven: row {first.get('row')} of {want.rows.source} is no valid request: column {first.get('column')!r}: "
            f"{first.get('problem')}"
        )
    kept = {key: value for key, value in want.form.items() if key in got["form"]}
    if kept != got["form"]:
        return Mismatch(name, want.rows.source, "form", ((0, _said(kept), _said(got["form"])),), len(want.sent), len(want.sent))
    pairs: list[tuple[str, list[Any], list[Any], float]] = [("", want.predictions, got["predictions"], 0.0)]
    if want.probabilities is not None:
        mine, theirs = want.probabilities, got["probabilities"] or {"classes": None, "values": []}
        pairs += [("classes ", [mine["classes"]], [theirs["classes"]], 0.0)]
        pairs += [("probabilities ", mine["values"], theirs["values"], ROUNDING)]
    for what, one, two, absolute in pairs:
        rows, count = differences(one, two, absolute)
        if rows:
            return Mismatch(name, want.rows.source, what, tuple((row, *_apart(*both)) for row, *both in rows), count, len(want.sent))
    return None


def variables(read: Iterable[str]) -> dict[str, str]:
    """What a fresh process sees of this one's environment; ``read`` are the variables that the model's code reads."""
    known = (*ENVIRONMENT, *read)
    return {name: value for name, value in os.environ.items() if name in known or name.startswith("LC_")}


def respond(
    folder: Path, request: Mapping[str, Any], environment: Iterable[str] = (), python: str = sys.executable
) -> tuple[dict[str, Any], float]:
    """What the code of a folder answers in a fresh process, which sees neither this folder, nor nbml, nor PYTHON* variables.

    ``python`` is the interpreter of a closed environment: what is not in it the process does not see either.
    """
    from nbml import running

    argv, env = ("-I", "-B", str(PROGRAM), str(folder)), variables(environment)
    done = running.run(running.Job(argv, Path(folder.anchor), env, json.dumps(request).encode(), LIMIT, python))
    if done.timed_out:
        raise errors.ProofFailed(f"the fresh process did not answer within {LIMIT:g} s")
    try:
        return json.loads(done.output), done.seconds
    except ValueError as error:
        last = done.errors.strip().splitlines()[-1:] or ["it said nothing"]
        raise errors.ProofFailed(f"the fresh process ended with {done.code} before it answered: {last[0]}") from error


def told(failed: Mapping[str, Any]) -> str:
    """A failure of the fresh process in one line."""
    message = str(failed["message"]).splitlines()[0] if failed["message"] else ""
    line = f" ({failed['line']})" if failed["line"] else ""
    return f"{failed['type']}: {message}{line}"


def first_difference(want: list[Any], got: list[Any], absolute: float = 0.0) -> tuple[int, int, Any, Any] | None:
    """(row, how many rows differ, wanted, found) of the first row that is not equal; None where all are."""
    found, count = differences(want, got, absolute)
    return (found[0][0], count, *found[0][1:]) if found else None


def differences(want: list[Any], got: list[Any], absolute: float = 0.0) -> tuple[list[tuple[int, Any, Any]], int]:
    """The first rows that are not equal, as (row, wanted, found), and how many there are."""
    if len(want) != len(got):
        return [(min(len(want), len(got)), f"{len(want)} answers", f"{len(got)} answers")], abs(len(want) - len(got))
    differing = [i for i, (one, two) in enumerate(zip(want, got, strict=True)) if not same(one, two, absolute)]
    return [(i, want[i], got[i]) for i in differing[:SHOWN]], len(differing)


def same(one: Any, two: Any, absolute: float = 0.0, relative: float = RELATIVE) -> bool:
    """Equal as the contract means it: floats within ``relative`` (or ``absolute``), all else exactly, of the same type."""
    if isinstance(one, float) and isinstance(two, float):
        return one == two or abs(one - two) <= max(relative * max(abs(one), abs(two)), absolute)
    if type(one) is not type(two):
        return False
    if isinstance(one, list):
        return len(one) == len(two) and all(same(a, b, absolute, relative) for a, b in zip(one, two, strict=True))
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key], absolute, relative) for key in one)
    return bool(one == two)


def _form(model: Model, value: Any, rows: inputs.Rows) -> tuple[dict[str, Any], list[Any]]:
    """The manifest's output, and the answers as JSON."""
    try:
        predictions, form = bridge.predictions_of(value), bridge.form_of(value)
    except bridge.Unfit as error:
        raise errors.ProofFailed(f"{model.call()} gave what cannot be served: {error}") from error
    if len(predictions) != len(rows):
        raise errors.ProofFailed(f"{model.call()} gave {len(predictions)} answers for {len(rows)} rows")
    if form["kind"] in ("series", "frame"):
        form["index"] = _index(model, value, rows)
    return form, predictions


def _width(model: Model, value: Any, predictions: list[Any], form: dict[str, Any], rows: inputs.Rows) -> None:
    """Texts of one width whatever the rows, as a classifier's labels inside a function are, get it into the form."""
    if form["kind"] != "array" or form["dtype"] != "<U" or "exact" in form:
        return
    lengths = [max(map(len, map(str, entry)), default=0) if isinstance(entry, list) else len(str(entry)) for entry in predictions]
    shortest = lengths.index(min(lengths))
    with contextlib.suppress(Exception):  # any: it is the user's code; what fails alone is told below
        alone = model.ask(rows.take([shortest]).copy())
        if alone.dtype == value.dtype and f"<U{lengths[shortest]}" != str(value.dtype):
            form["exact"] = str(value.dtype)


def _comes_back(model: Model, value: Any, predictions: list[Any], form: dict[str, Any], rows: inputs.Rows) -> None:
    """Refuse an answer that ``ServiceVersion.predict`` could not give as the notebook has it."""
    try:
        back = exchange.answer_to(predictions, exchange.index_of(rows.data), {"output": form})
        whole = bridge.form_of(back) == bridge.form_of(value) and type(back) is type(value) and _same_objects(value, back)
    except (TypeError, ValueError):
        whole = False
    if not whole:
        raise errors.ProofFailed(f"{model.call()} gives {_said(form)}, which does not come back from JSON as it is")


def _same_objects(one: Any, two: Any) -> bool:
    """Whether lists and columns of objects hold what they held: a date is not its text."""
    if hasattr(one, "columns"):
        return all(_same_objects(one.iloc[:, i], two.iloc[:, i]) for i in range(one.shape[1]))
    if not isinstance(one, (list, dict)) and str(one.dtype) != "object":
        return True
    pairs = zip(_flat(one), _flat(two), strict=True)
    return all(a is b or bool(a == b) or (a != a and b != b) for a, b in pairs)


def _flat(value: Any) -> Iterator[Any]:
    """The single values of an answer, one after the other."""
    for entry in value.to_numpy() if hasattr(value, "to_numpy") else value.values() if isinstance(value, dict) else value:
        if isinstance(entry, (list, dict)) or getattr(entry, "ndim", False):
            yield from _flat(entry)
        else:
            yield entry


def _alone(model: Model, rows: inputs.Rows, predictions: list[Any]) -> list[str]:
    """A request may hold one row: what the first ones give alone, where that is not what they give among others."""
    for position in range(min(3, len(rows)) if len(rows) > 1 else 0):
        try:
            (alone,) = bridge.predictions_of(model.ask(rows.take([position]).copy()))
        except Exception as error:  # any: it is the user's code
            return [f"a request of one row fails: {_short(error)}"]
        if not same(alone, predictions[position], SINGLE, SINGLE):
            told = f"row {position} alone gives {_show(alone)}, among {len(rows)} rows {_show(predictions[position])}"
            return [f"an answer depends on the other rows of its request: {told}"]
    return []


def _index(model: Model, value: Any, rows: inputs.Rows) -> str:
    """Whether an answer bears the index of its rows, "input", or counts from 0, "range"."""
    import pandas as pd

    if not hasattr(rows.data, "iloc"):
        return "range"
    shifted = rows.copy()
    shifted.index = pd.RangeIndex(1_000, 1_000 + len(shifted))
    index = model.ask(shifted).index
    if index.equals(shifted.index):
        return "input"
    if index.equals(pd.RangeIndex(len(shifted))):
        return "range"
    raise errors.ProofFailed(
        f"{model.call()} gives an index that is neither that of its rows nor 0, 1, 2, ...: {list(value.index[:3])}"
    )


def _probabilities(model: Model, rows: inputs.Rows, form: dict[str, Any], notes: list[str]) -> dict[str, Any] | None:
    """The probabilities for ``rows``; the form gets the classes, where the model gives both."""
    classes = model.classes()
    if classes is None:
        return None
    values = getattr(model.probabilities(rows.copy()), "tolist", lambda: None)()
    if isinstance(classes, list) or values is None or getattr(classes, "ndim", 0) != 1:
        notes.append("probabilities are not served: the model gives several sets of classes")
        return None
    form["classes"] = bridge.plain(classes)
    if form["dtype"] == "<U":
        form["exact"] = str(classes.dtype)
    return {"classes": form["classes"], "values": values}


def _fails(model: Model, error: Exception) -> errors.ProofFailed:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.line and Path(f.filename).parent != Path(__file__).parent]
    mine = [f for f in frames if "site-packages" not in f.filename]
    line = f" ({mine[-1].line})" if mine else ""
    return errors.ProofFailed(f"{model.call()} fails in this notebook: {_short(error)}{line}")


def _short(error: BaseException) -> str:
    text = str(error).splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def _show(value: Any) -> str:
    text = value if isinstance(value, str) and value.endswith(" answers") else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else text[:117] + "..."


def _apart(one: Any, two: Any) -> tuple[str, str]:
    """Two values that differ, shown; of long ones the place where they do."""
    mine, theirs = (json.dumps(value, ensure_ascii=False) for value in (one, two))
    if max(len(mine), len(theirs)) <= 120 or (isinstance(one, str) and one.endswith(" answers")):
        return _show(one), _show(two)
    at = next((i for i, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b), min(len(mine), len(theirs)))
    start = max(0, at - 40)
    return f"...{mine[start : at + 60]}...", f"...{theirs[start : at + 60]}..."


def _said(form: Mapping[str, Any]) -> str:
    columns = form.get("columns")
    inner = ", ".join(f"{c['name']} {c['dtype']}" for c in columns) if columns else form["dtype"]
    named = f" named {form['label']}" if "label" in form else ""
    return f"{'an' if form['kind'] == 'array' else 'a'} {form['kind']}" + (f" of {inner}" if inner else "") + named


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """The model's own prints and warnings were seen when the notebook used it; the proof asks it several times."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
