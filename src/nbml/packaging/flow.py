"""Packaging step by step: the model, its rows, its Slice, the proof, the Bento, the record."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import datasets, errors, frames, settings
from nbml.display import keep
from nbml.packaging import bridge, build, environments, fitting, inputs, preview, proof, proving, ranges, translating
from nbml.packaging.values import ServiceVersion, from_thing
from nbml.store import Store, Thing, current
from nbml.tracking import made

if TYPE_CHECKING:
    from nbml.slicing import Slice
    from nbml.slicing.watching import Seen

POLICIES = ("reject", "flag", "off")


@dataclass(frozen=True)
class Asked:
    """The arguments of ``package``."""

    name: str
    on: Any = None
    y: Any = None
    suite: Any = None
    key: tuple[str, ...] = ()
    proof: str = "local"
    policy: str = "reject"
    allow_secret: tuple[str, ...] = ()
    preview: bool = False


def run(target: Any, asked: Asked) -> ServiceVersion | preview.Preview:
    """See ``package``."""
    from nbml.slicing import carried, recorder, watching

    _options(asked)
    store = current()
    namespace = recorder.namespace()
    entry, word = _entry(target, namespace)
    module = build.module_name(asked.name)
    if asked.preview:
        cut = replace(_cut(target, entry, module, asked, namespace), following=_typed(asked, word, namespace))
        return preview.start(
            asked.name, cut, lambda: _now(target, entry, word, namespace), lambda: _agreed(target, entry, word, asked, cut, namespace)
        )  # fmt: skip
    rows = inputs.find(target, asked.on, asked.name, word, namespace)
    _length(rows, asked.y)
    _has_key(asked, rows, namespace)
    expectations, suite = _suite(asked, rows)
    cut = _cut(target, entry, module, asked, namespace)
    model = proof.Model(target, entry, word)
    with watching.watching() as seen:
        want = proof.expected(model, rows)
    if carried.adds(cut, seen):
        cut = _cut(target, entry, module, asked, namespace, seen)
    manifest = _manifest(asked, cut, entry, rows, want, expectations, suite)
    translated = translating.translate(target, manifest, want.sent)
    manifest["execution"] = translated.execution
    with build.workplace(store, asked.name) as work:
        last = store.find("service", asked.name)
        digest = build.identity(cut, manifest | {"execution": translated.identity})
        manifest["requirements"] = sorted({*manifest["requirements"], *translated.needs}, key=str.lower)
        if last is not None and last.hash == digest and _stands(store, last, asked):
            return from_thing(last, same=True)
        case = proving.Case(store, work / "src", want, model, cut, namespace, asked.name, asked.proof, translated.needs)
        return _make(case, work, asked, manifest, digest, _score(target, entry, asked, rows), suite, translated, made.maker(store, target))


def _agreed(target: Any, entry: str, word: str, asked: Asked, cut: Slice, namespace: Any) -> preview.Contract:
    """What a preview takes and gives, as asked on a few rows."""
    rows = inputs.find(target, asked.on, asked.name, word, namespace)
    _has_key(asked, rows, namespace)
    expectations, suite = _suite(asked, rows)
    want = proof.expected(proof.Model(target, entry, word), rows.take(inputs.choose(rows, preview.FEW)))
    manifest = _manifest(asked, replace(cut, requirements=()), entry, rows, want, expectations, suite)
    private = set(settings.load(current().root)["data.private"]) & {spec["name"] for spec in manifest["inputs"]}
    return preview.Contract(manifest | {"version": "preview"}, [] if private else want.sent[:1])


def _now(target: Any, entry: str, word: str, namespace: Any) -> Any:
    """What the name of a model stands for now, where it is a model still; else the model that it was."""
    found = namespace.get(word, target)
    return found if (hasattr(found, "predict") if entry == "model" else callable(found)) and not isinstance(found, type) else target


def _stands(store: Store, last: Thing, asked: Asked) -> bool:
    """Whether a version is there whole: its Bento, and the environment that it was proven in, at least as it is asked now."""
    level = last.body["manifest"]["proof"]["level"]
    whole = (store.root / last.body["path"] / "bento.yaml").is_file() and level in (asked.proof, "index")
    try:
        return whole and environments.of(store, last.body) is not None
    except errors.NbmlError:
        return False


def _typed(asked: Asked, word: str, namespace: Any) -> str:
    """The line that packages what was previewed; "" where something of it has no name."""
    names = {key: inputs.label_of(value, namespace) for key, value in (("on", asked.on), ("y", asked.y)) if _nameless(value)}
    if word not in namespace or any(name not in namespace for name in names.values()):
        return ""
    given = [("--on", " ".join(names.get(key, str(value)) for key, value in (("on", asked.on), ("y", asked.y)) if value is not None))]
    given += [("--suite", "" if asked.suite is None else str(asked.suite)), ("--key", ",".join(asked.key))]
    given += [("--policy", asked.policy if asked.policy != "reject" else ""), ("--allow-secret", ",".join(asked.allow_secret))]
    given += [("--proof", asked.proof if asked.proof != "local" else "")]
    return " ".join([f"%nbml package {word} --name {asked.name}", *(f"{option} {value}" for option, value in given if value)])


def _nameless(value: Any) -> bool:
    """Whether a value's text says nothing: neither a reference nor a path."""
    return value is not None and not isinstance(value, (str, Path, datasets.DatasetVersion))


def _has_key(asked: Asked, rows: inputs.Rows, namespace: Any) -> None:
    """The key need be no input of the model, but a column that rows come with. Raises errors.BadArgument."""
    known = list(dict.fromkeys([*(spec["name"] for spec in rows.inputs), *rows.columns]))
    others = {str(label) for value in list(namespace.values()) if frames.is_frame(value) for label in value.columns}
    for name in asked.key:
        if name in known or name in others:
            continue
        close = errors.nearest(name, [*known, *sorted(others)])
        have = f"nearest: {close}" if close else f"there are {', '.join(known[:5])}"
        right = ",".join(close if key == name and close else key for key in asked.key)
        raise errors.BadArgument(f"no column {name!r} in {rows.source}; {have}", instead=("key", right) if close else None)


def _options(asked: Asked) -> None:
    if asked.policy not in POLICIES:
        close = errors.nearest(str(asked.policy), POLICIES)
        message = f"policy {asked.policy!r}: one of {', '.join(POLICIES)} is needed"
        raise errors.BadArgument(message, instead=("policy", close) if close else None)
    if asked.proof not in environments.LEVELS:
        close = errors.nearest(str(asked.proof), environments.LEVELS) or "local"
        message = f"proof {asked.proof!r}: one of {', '.join(environments.LEVELS)} is needed"
        raise errors.BadArgument(message, instead=("proof", close))


def _entry(target: Any, namespace: Any) -> tuple[str, str]:
    """("model" or "predict", the notebook's name for it). Raises errors.NotFitted, errors.BadInput."""
    word = inputs.label_of(target, namespace)
    if isinstance(target, type):
        made = next((name for name, value in reversed(list(namespace.items())) if type(value) is target and _named(name)), None)
        raise errors.BadInput(
            f"{target.__name__} is a class; a fitted model or a function predict(df) can be packaged",
            instead=("model_or_function", made) if made and is_fitted(namespace[made]) else None,
        )
    if not hasattr(target, "predict"):
        if callable(target) and hasattr(target, "__code__"):
            return "predict", target.__name__ if word == "function" else word
        if "torch" in sys.modules and isinstance(target, sys.modules["torch"].nn.Module):
            return "model", word
        raise errors.BadInput(f"{word} is a {type(target).__name__}; a fitted model or a function predict(df) can be packaged")
    if not _fitted(target):
        pair = fitting.pair(target, namespace)
        known = word in namespace
        kind = type(target).__name__
        raise errors.NotFitted(
            f"{word} is not fitted" if word == kind else f"{word} is a {kind} that is not fitted",
            next=f"{word}.fit({', '.join(pair)})" if pair and known else None,
        )
    return "model", word


def _named(name: str) -> bool:
    return not name.startswith("_")


def is_fitted(value: Any) -> bool:
    """Whether a value is an estimator of scikit-learn that has been fitted and predicts."""
    predicts = not isinstance(value, type) and hasattr(value, "get_params") and hasattr(value, "predict")
    return predicts and _fitted(value)


def _fitted(model: Any) -> bool:
    """What scikit-learn says of it; a model of another library is taken at its word."""
    try:
        from sklearn.exceptions import NotFittedError
        from sklearn.utils.validation import check_is_fitted
    except ImportError:
        return True
    try:
        check_is_fitted(model)
    except NotFittedError:
        return False
    except (TypeError, AttributeError):  # no estimator of scikit-learn's, or one that tells it too little of itself
        return True
    return True


def _cut(target: Any, entry: str, module: str, asked: Asked, namespace: Any, seen: Seen | None = None) -> Slice:
    from nbml import slicing

    return slicing.cut({entry: target}, namespace, module=module, allow_secret=asked.allow_secret, seen=seen)


def _length(rows: inputs.Rows, y: Any) -> None:
    if y is not None and (not hasattr(y, "__len__") or len(y) != len(rows)):
        count = f"{len(y):,} values" if hasattr(y, "__len__") else f"a {type(y).__name__}"
        raise errors.BadInput(f"y has {count} for the {len(rows):,} rows of {rows.source}")


def _score(target: Any, entry: str, asked: Asked, rows: inputs.Rows) -> dict[str, Any] | None:
    """The model's own score on all rows where ``y`` is given: accuracy of a classifier, R² of a regressor."""
    if asked.y is None or entry != "model" or not hasattr(target, "score"):
        return None
    from sklearn.base import is_classifier

    return {"metric": "accuracy" if is_classifier(target) else "r2", "value": float(target.score(rows.data, asked.y)), "rows": len(rows)}


def _suite(asked: Asked, rows: inputs.Rows) -> tuple[list[dict[str, Any]], Thing | None]:
    """The suite's lines with their scopes, and the stored suite. Raises errors.UnknownSuite."""
    if asked.suite is None:
        return [], None
    from nbml import validation

    suite = validation.suite(asked.suite) if isinstance(asked.suite, str) else asked.suite
    return validation.scopes(suite, [spec["name"] for spec in rows.inputs]), current().find("suite", str(suite))


def _unserved(expectations: list[dict[str, Any]], rows: inputs.Rows) -> list[str]:
    """What the suite asks of a row and the service cannot check on a request, told; it becomes the monitor's affair.

    A line about a column that is no input (the label, as a rule) is no fault: the report's split says "not served".
    """
    from nbml.runtime.plan import Plan

    plan = Plan.of({"inputs": rows.inputs, "expectations": expectations})
    notes = []
    for text, reason in zip(plan.unsupported, plan.reasons, strict=True):
        notes.append(f"{text} is checked by the monitor, not on a request: {reason}")
        for expectation in expectations:
            if expectation["text"] == text and expectation["scope"] == "row":
                expectation["scope"] = "window"
    return notes


def _manifest(
    asked: Asked, cut: Slice, entry: str, rows: inputs.Rows, want: proof.Expected, expectations: list[dict[str, Any]], suite: Thing | None
) -> dict[str, Any]:
    """What the Bento says of itself; version, made and proof are filled in when it is made."""
    notes = [*cut.warnings, *want.warnings, *_unserved(expectations, rows)]
    return {
        "format": bridge.FORMAT, "service": asked.name, "version": 0, "made": 0.0, "module": cut.module, "entry": entry,
        "input": rows.kind, "inputs": rows.inputs, **rows.more, "output": want.form, "key": list(asked.key), "policy": asked.policy,
        "suite": suite.ref if suite is not None else None, "expectations": expectations,
        "requirements": list(build.requirements(cut, rows)), "python": build.python_version(), "runtime": build.runtime_hash(),
        "artifacts": [
            {"path": a.path, "sha256": a.sha256, "bytes": len(a.content), "format": a.format, "types": list(a.types)}
            | ({"why": a.why} if a.why else {})
            for a in cut.artifacts.values()
        ],
        "proof": {"rows": len(want.sent), "seconds": 0.0, "level": asked.proof, "on": rows.source},
        "seen": ranges.of(rows, settings.load(current().root)["data.private"]),
        "warnings": notes, "environment": list(cut.environment),
    }  # fmt: skip


def _make(
    case: proving.Case, work: Path, asked: Asked, manifest: dict[str, Any], digest: str, score: dict[str, Any] | None, suite: Thing | None,
    translated: translating.Translation, fitted: Thing | None,
) -> ServiceVersion:  # fmt: skip
    """Prove, build, move into place and write down; whatever fails on the way leaves nothing."""
    store, want = case.store, case.want
    last = store.find("service", asked.name)
    number = 1 if last is None else last.version + 1
    private = bool(set(settings.load(store.root)["data.private"]) & {spec["name"] for spec in manifest["inputs"]})
    manifest |= {"version": number, "made": time.time(), "score": score}
    build.write(case.folder, case.cut, manifest, want, private=private)
    translated.write(case.folder)
    likely = proving.expected(case, manifest["requirements"])
    building = build.begin(work, case.folder, manifest | {"requirements": likely})  # beside the proof; it goes with the workplace
    try:
        proven = proving.prove(case, manifest["requirements"])
        _settle(manifest, proven)
        if manifest["requirements"] != likely:
            building.kill()
            building.wait()
            build.rewrite(case.folder, manifest)
            building = build.begin(work, case.folder, manifest)
        built = build.end(building, asked.name)
    except BaseException:
        building.kill()
        raise
    manifest["execution"] = translated.proven(proven.exact, want, built / "src") | proven.beside()
    build.rewrite(built / "src", manifest)
    home = store.room("services", asked.name) / str(number)
    shutil.rmtree(home, ignore_errors=True)  # of a process that died before it wrote the version down
    built.rename(home)
    environment = proven.environment.folder.relative_to(store.root).as_posix()
    try:
        thing = _record(store, asked, manifest, home, environment, [] if private else want.sent[:3], digest, suite, want.rows.thing, fitted)
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise
    version = from_thing(thing, new=True)
    return from_thing(store.update(thing, {"result": keep(version._report())}), new=True)


def _settle(manifest: dict[str, Any], proven: proving.Proven) -> None:
    """Write what was proven into the manifest."""
    manifest["proof"] |= proven.said()
    manifest |= {"requirements": list(proven.requirements), "pins": proven.environment.pins}
    manifest["warnings"] = [*manifest["warnings"], *proven.environment.notes]


def _record(
    store: Store, asked: Asked, manifest: dict[str, Any], home: Path, environment: str, sample: list[Any], digest: str,
    suite: Thing | None, data: Thing | None, fitted: Thing | None,
) -> Thing:  # fmt: skip
    from nbml.packaging import report

    body = {
        "manifest": manifest, "path": home.relative_to(store.root).as_posix(), "environment": environment,
        "warnings": manifest["warnings"], "sample": sample,
        "suite": manifest["suite"], "policy": asked.policy, "size": build.size_of(home), "row": report.row(manifest),
    }  # fmt: skip
    edges = [(suite, "checks")] if suite is not None else []
    edges += [(data, "proven on")] if data is not None else []
    edges += [(fitted, "fitted in")] if fitted is not None else []
    return store.add("service", asked.name, body, hash=digest, state="look" if manifest["warnings"] else "well", edges=edges)
