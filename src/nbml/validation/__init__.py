"""Expectations of data, and checks of data against them: ``expect``, ``validate``, ``suite``."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import errors, settings
from nbml.display import keep
from nbml.store import Store, Thing, check_name, current, split_ref
from nbml.store.record import NAME
from nbml.validation.conditions import where
from nbml.validation.serving import scopes
from nbml.validation.values import Failure, Suite, Validation, from_thing
from nbml.validation.words import drift_word

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Failure", "Suite", "Validation", "expect", "scopes", "suite", "suites", "validate", "where"]

Json = dict[str, Any]
#: how the record names content
BLOB = re.compile(r"[0-9a-f]{64}")
#: a suite's reference, its expectations, and the thing of the record where it is one
Chosen = tuple[str, list[Json], Thing | None]


def validate(
    df: Any,
    suite: Any,
    name: str | None = None,
    against: Any = None,
    strict: bool = False,
    result_format: str = "SUMMARY",
    engine: str = "nbml",
) -> Validation:
    """Check a frame (or ``name@n``, or a path) against a suite: its name, ``name@n``, GX's JSON, or GX's ExpectationSuite.

    Where no suite has that name one is drafted and shown, and ``success`` is None. ``name`` is what the data are called;
    ``against`` is the reference of drift expectations. Raises errors.ValidationFailed if ``strict`` and not all holds.
    """
    from nbml import datasets
    from nbml.validation.batches import limit

    frame, thing = datasets.opened(df, limit())
    data = name or (thing.ref if thing is not None else _called(df))
    chosen = _chosen(suite)
    form = (result_format, engine)
    line = _line(df, suite)
    if chosen is None:
        found = _drafted(frame, data, str(suite))
    else:
        found = _checked(frame, thing, data, chosen, _reference(chosen, against, line), form)
    if strict and not found.success:
        against_too = f" --against {against}" if isinstance(against, (str, Path)) else ""
        raise _broken(found, line + against_too if line and (against is None or against_too) else None)
    return found


def expect(name: str, text: str, on: Any = None) -> Suite:
    """Keep expectations as a version of the suite ``name``; same text (and values of ``var``), same version.

    ``on`` is checked at once, and pinned as the reference of the suite's drift expectations. Raises errors.BadExpectation.
    """
    from nbml import datasets
    from nbml.validation import keeping
    from nbml.validation.checking import named
    from nbml.validation.grammar import parse

    check_name(name)
    if not isinstance(text, str):
        line = f"nbml.expect({name!r}, 'rows >= 1')"
        raise errors.BadArgument(f"expectations are a text of one entry in each line, not {type(text).__name__}", next=line)
    store = current()
    last = keeping.find(store, name)  # so that what was edited by hand is a version before it is written over
    frame, thing = (None, None) if on is None else datasets.take(on)
    columns = [] if frame is None else list(map(named, frame.columns))
    values, told = keeping.Frozen(_notebook() if "var" in text else {}), keeping.level(text)
    configs = parse(text, values, columns)
    if told != text:
        configs = parse(told, values, columns)
    if not configs:
        raise errors.BadExpectation("a suite needs at least one expectation", next=f"nbml.expect({name!r}, 'rows >= 1')")
    drifts = [c for c in configs if drift_word(c.type)]
    reference = None if frame is None else _pin(store, frame, sorted({str(c.kwargs["column"]) for c in drifts}))
    keeping.pinned(configs, reference)
    edges = [(thing, "reference")] if thing is not None else []
    kept = keeping.keep(store, name, told, configs, values.read, reference, edges)
    made = from_thing(kept, new=last is None or last.version != kept.version)
    kept = store.update(kept, {"result": keep(from_thing(kept)._report())})
    check = None if frame is None else validate(on if thing is not None else frame, replace(made, thing=kept))
    return from_thing(kept, check, new=made.new)


def suite(ref: str) -> Suite:
    """The suite ``name@n``, or the latest of ``name``. Raises errors.UnknownSuite."""
    from nbml.validation import keeping

    thing = keeping.find(current(), ref)
    if thing is None:
        raise _unknown(ref)
    return from_thing(thing)


def suites(store: Store) -> list[Thing]:
    """The latest version of each suite in the record, without those whose file was taken away."""
    from nbml.validation import keeping

    return keeping.latest(store)


# -- suites ---------------------------------------------------------------------------------------------------


def _chosen(suite: Any) -> Chosen | None:
    """Reference, expectations and thing of a suite; None where no suite has the name."""
    from nbml.validation import keeping
    from nbml.validation.exchange import is_foreign, read_suite

    if isinstance(suite, Suite):
        return str(suite), read_suite(suite.thing.body["suite"])[1], suite.thing
    if is_foreign(suite):
        name, expectations = read_suite(suite)
        if not expectations:
            raise errors.BadInput(f"the suite {name!r} holds no expectation")
        return name, expectations, None
    if not isinstance(suite, str):
        raise errors.BadArgument(f"a suite is a name, Great Expectations JSON or an ExpectationSuite, not {type(suite).__name__}")
    thing = keeping.find(current(), suite)
    if thing is None:
        if split_ref(suite)[1] is not None:
            raise _unknown(suite)
        return None
    return thing.ref, read_suite(thing.body["suite"])[1], thing


def _line(df: Any, suite: Any) -> str | None:
    """The line that checks ``df`` against ``suite``, where both have a name."""
    from nbml import datasets

    data = str(df) if isinstance(df, (str, Path, datasets.DatasetVersion)) else _called(df)
    return f"%nbml validate {data} --suite {suite}" if data and " " not in data and isinstance(suite, (str, Suite)) else None


def _unknown(ref: str) -> errors.UnknownSuite:
    """With the nearest suite; where none is near, the line that drafts one of that name for a frame of the notebook."""
    from nbml import datasets
    from nbml.validation import keeping

    store, name = current(), ref.partition("@")[0]
    gone = keeping.removed(store, name) if "@" not in ref else None
    if gone is not None:
        message = f"no suite {ref!r}: {gone.body['file']} was taken away; its last version is {gone.ref}"
        return errors.UnknownSuite(message, next=f'nbml.suite("{gone.ref}")')
    latest = {thing.name: thing.version for thing in keeping.latest(store)} | dict.fromkeys(keeping.unread(store), 0)
    close = errors.nearest(name, latest)
    if close is not None:
        found = f"{close}@{latest[close]}" if latest[close] else close
        return errors.UnknownSuite(f"no suite {ref!r}; nearest: {found}", next=f'nbml.suite("{found}")')
    frame = datasets.a_frame()
    line = f"%nbml validate {frame} --suite {name}" if frame and NAME.fullmatch(name) else None
    have = f"there are {', '.join(list(latest)[:5])}" if latest else "none is stored yet"
    return errors.UnknownSuite(f"no suite {ref!r}; {have}", next=line)


def _called(df: Any) -> str:
    """What a frame is called on the page: its file, or the variable that holds it; "" where nothing does."""
    from nbml import datasets

    return Path(df).name if isinstance(df, (str, Path)) else datasets.name_of(df)


def _notebook() -> Mapping[str, Any]:
    from nbml.slicing import recorder

    return recorder.namespace()


def _pin(store: Store, frame: pd.DataFrame, needed: list[str]) -> Json | None:
    """Keep a frame as a reference, by its hash and in no dataset's history.

    Where Parquet does not take the whole of it, the columns that drift expectations compare are kept. Raises
    errors.CannotStore where it does not take those.
    """
    from nbml.datasets import parquet
    from nbml.validation.checking import level

    whole = level(frame)
    try:
        kept = parquet.keep(store, whole)
    except errors.CannotStore:
        held = [column for column in needed if column in whole.columns]
        if not held:
            return None
        kept = parquet.keep(store, whole[held])
    return {"blob": kept.blob, "rows": len(whole)}


# -- checks ---------------------------------------------------------------------------------------------------


def _checked(
    frame: Any, dataset: Thing | None, data: str, chosen: Chosen, reference: pd.DataFrame | None, form: tuple[str, str]
) -> Validation:
    """Of a frame, or of a Source that is read in batches."""
    from nbml import datasets, frames
    from nbml.validation import batches, report
    from nbml.validation.checking import engine_of
    from nbml.validation.exchange import outward

    ref, configs, thing = chosen
    store = current()
    known = settings.load(store.root)
    how = batches.How(form[0], engine_of(form[1]), reference, known["validation.min_rows"], batches.limit())
    started = time.perf_counter()
    checked = batches.check_frame(frame, configs, how) if frames.is_frame(frame) else batches.check_batches(frame, configs, how)
    done, columns, failing = checked.done, checked.columns, checked.failing
    spent = time.perf_counter() - started
    private = known["data.private"]
    told = report.failures(done, columns, private)
    success = all(result["success"] for result in done.results)
    results = tuple({**result, "expectation_config": outward(result["expectation_config"])} for result in done.results)
    found = Validation(success, results, ref, data, checked.rows, spent, told, most=checked.most, _failing=failing)
    if store.readonly:
        return replace(found, kept=False)
    if dataset is None and frames.is_frame(frame):
        dataset = datasets.version_of(frame)
    edges = [(t, role) for t, role in ((dataset, "checked"), (thing, "by")) if t is not None]
    body = {
        "success": success, "suite": ref, "data": data, "rows": checked.rows, "seconds": spent, "engine": form[1],
        "statistics": found.to_json()["statistics"], "results": report.recorded(done.results, columns, private, failing.index.names),
        "row": report.row(found),
    }  # fmt: skip
    kept = store.add("validation", _fitting(ref.partition("@")[0]), body, state="well" if success else "bad", edges=edges)
    shown = keep(replace(found, thing=kept)._report(), store)
    return replace(found, thing=store.update(kept, {"result": shown}))


def _reference(chosen: Chosen, against: Any, line: str | None) -> pd.DataFrame | None:
    """What drift is measured against: ``against``, else what ``expect --on`` pinned; None where nothing asks for it.

    Raises errors.BadArgument where it is asked for and there is neither.
    """
    from nbml import datasets
    from nbml.validation import keeping
    from nbml.validation.checking import level

    _, configs, thing = chosen
    drifts = [c for c in configs if drift_word(c["type"])]
    if not drifts:
        return None
    if against is not None:
        return level(datasets.take(against)[0])
    pinned = thing.body.get("reference") if thing is not None else None
    needed = {str(c["kwargs"].get("column")) for c in drifts}
    stored = next((t for t in current().latest("dataset") if needed <= set(t.body.get("columns", ())) and _whole(t)), None)
    following = f"{line} --against {stored.ref}" if line and stored else None
    blob = pinned["blob"] if pinned else next((str(c["kwargs"].get("reference")) for c in drifts), "")
    if pinned or (BLOB.fullmatch(blob) and current().whole(blob)):  # of a suite that was written out as JSON
        return _pinned(blob, chosen[0], following)
    text = drifts[0]["meta"]["nbml"]["text"]
    lost = keeping.absent(current(), thing) if thing is not None else ""
    why = lost or "no reference is pinned (%%nbml expect ... --on)"
    raise errors.BadArgument(f"{text}: nothing to compare with: {why}, and --against is not given", next=following)


def _whole(dataset: Thing) -> bool:
    return current().whole(dataset.body["blob"])


def _pinned(blob: str, ref: str, following: str | None) -> pd.DataFrame:
    from nbml.datasets import parquet

    try:
        return parquet.decode(current().read_blob(blob))
    except errors.StoreDamaged as error:
        message = f"the reference that {ref} pinned cannot be read: {error.message}; or --against gives another"
        raise errors.StoreDamaged(message, next=following) from error


def _drafted(frame: Any, data: str, name: str) -> Validation:
    from nbml import frames
    from nbml.validation import keeping, sampling
    from nbml.validation.draft import draft

    store = current()
    private = settings.load(store.root)["data.private"]
    close = errors.nearest(name, [*(thing.name for thing in keeping.latest(store)), *keeping.unread(store)]) or ""
    if frames.is_frame(frame):
        return Validation(None, (), name, data, len(frame), draft=draft(frame, private), nearest=close, _failing=frame.iloc[:0].copy())
    made = sampling.draft(frame, private)
    return Validation(None, (), name, data, made.rows, draft=made.text, nearest=close, sample=made.told, _failing=made.none)


def _broken(found: Validation, line: str | None) -> errors.ValidationFailed:
    """``line`` is the check without ``strict``, which shows all of it."""
    data = found.data or "the frame"
    if found.success is None:
        lines = len(found.draft.splitlines())
        message = f"{data} is not validated: there is no suite {found.suite!r}" + (f"; nearest: {found.nearest}" if found.nearest else "")
        return errors.ValidationFailed(f"{message}; without --strict a draft of {lines} lines is shown", validation=found, next=line)
    first = found.failures[0]
    others = len(found.failures) - 1
    more = f", and {others} more" if others else ""
    return errors.ValidationFailed(
        f"{data} breaks {found.suite}: {len(found.failures)} of {len(found.results)} expectations fail: {first.text}{more}",
        validation=found,
        next=line,
    )


def _fitting(name: str) -> str:
    """``name`` as a name of the record; suites of Great Expectations may be called anything."""
    try:
        return check_name(name)
    except errors.BadName as error:
        fit = error.message.rpartition("; ")[2]
        return fit.split("'")[1] if fit.endswith("would") else "suite"
