"""Services as reports."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbml.display import (
    Code,
    Column,
    Details,
    Line,
    Note,
    Part,
    Progress,
    Report,
    Table,
    ago,
    code,
    figure,
    link,
    muted,
    seconds,
    size,
    strong,
)  # fmt: skip

if TYPE_CHECKING:
    from nbml.packaging.causes import Mismatch
    from nbml.packaging.preview import Preview
    from nbml.packaging.values import ServiceVersion

SCOPES = {"row": "checked on every request", "window": "checked by the monitor", "not served": "not served: its column is no input"}
#: problems that a refused batch shows; the error has up to 100
FEW = 10
OUTPUTS = {"array": "an array", "series": "a Series", "list": "a list", "frame": "a DataFrame"}


def version_report(version: ServiceVersion) -> Report:
    """One line; what the user should know of below it; the code and the rest on demand."""
    manifest = version.manifest
    facts = [f"proven on {manifest['proof']['rows']:,} rows of {manifest['proof']['on']}"]
    if version.new:
        facts.append(f"{manifest['proof']['seconds']:.1f} s")
    else:
        facts.append(f"made {ago(version.made)}")
    facts.append(size(version.thing.body["size"]))
    score = manifest.get("score")
    if score:
        facts.append(f"{score['metric']} {figure(score['value'])}")
    word = "unchanged" if version.same else "packaged"
    parts: list[Part] = [Note("look", "look", text) for text in version.warnings]
    parts += _suite(manifest)
    parts += _details(version, manifest)
    state = "look" if version.warnings else "well"
    following, kept = [f"%nbml deploy {version.name}"], version.thing.body.get("result")
    return Report((strong(version),), state, word, facts, parts, following, kept, "service", str(version))


def _suite(manifest: dict[str, Any]) -> list[Part]:
    """How the suite's lines are split, and the lines on demand."""
    lines = manifest["expectations"]
    if not lines:
        return []
    # a line about several columns is several expectations; with mostly < 1 it refuses nothing
    once = dict.fromkeys((e["text"], e["scope"], e["scope"] == "row" and e.get("mostly", 1) < 1) for e in lines)
    counts = [(sum(scope == found for _, found, _ in once), words) for scope, words in SCOPES.items()]
    told = ", ".join(f"{count} {words.partition(':')[0]}" for count, words in counts if count)
    policy = {"reject": "broken rows are refused", "flag": "broken rows are marked", "off": "nothing is checked"}[manifest["policy"]]
    rows = [(code(text), SCOPES[scope] + (", only marks" if soft else "")) for text, scope, soft in once]
    summary = (f"{manifest['suite'] or 'suite'}: {told} · {policy}",)
    return [Details(summary, [Table((Column("expectation", format="code"), "where"), rows)])]


def _details(version: ServiceVersion, manifest: dict[str, Any]) -> list[Part]:
    inputs = manifest["inputs"]
    takes = Table(("column", "dtype"), [(code(spec["name"]), spec["dtype"]) for spec in inputs])
    parts: list[Part] = []
    try:
        source = version.source
        parts.append(Details(f"{manifest['module']}.py, {source.count(chr(10)):,} lines", [Code(source)]))
    except OSError:
        parts.append(Line(muted("its folder is gone")))
    output = manifest["output"]
    gives = OUTPUTS[output["kind"]] + (f" of {output['dtype'].replace('<U', 'texts')}" if output["dtype"] else "")
    gives += ", and probabilities" if "classes" in output else ""
    plural = "" if len(inputs) == 1 else "s"
    parts.append(Details(f"takes {len(inputs)} column{plural}, gives {gives}", [takes]))
    files = [(code(a["path"]), a["format"], a["bytes"], code(a["sha256"][:12])) for a in manifest["artifacts"]]
    if files:
        read = sum(a["format"] == "file" for a in manifest["artifacts"])
        counts = ((len(files) - read, "of fitted values"), (read, "that its code reads"))
        many = ", ".join(f"{count} file{'' if count == 1 else 's'} {what}" for count, what in counts if count)
        parts.append(Details(many, [Table(("file", "format", Column("size", format="bytes"), "sha256"), files)]))
    needs = manifest["requirements"]
    parts.append(Details(f"{len(needs)} requirements, Python {manifest['python']}", [Code("\n".join(needs), "text")]))
    if manifest["environment"]:
        parts.append(Line(("reads from the environment: ", code(", ".join(manifest["environment"])))))
    return parts


def row(manifest: dict[str, Any]) -> dict[str, object]:
    """The panel's line of a service."""
    count = len(manifest["warnings"])
    if count:
        return {"state": "look", "figure": f"{count} warning" + ("" if count == 1 else "s")}
    return {"state": "well", "figure": f"proven on {manifest['proof']['rows']:,} rows"}


def listing_report(versions: list[ServiceVersion], line: str = "") -> Report:
    """All services, newest first; ``line`` leads on where there is none."""
    rows = [
        ((strong(v.name), muted(f"@{v.version}")), v.manifest["proof"]["rows"], v.manifest["suite"] or "", v.manifest["policy"],
         len(v.warnings), v.made)
        for v in versions
    ]  # fmt: skip
    heads = ("service", "proven on rows", "suite", "policy", "warnings", Column("made", "right", "time"))
    title = f"{len(rows)} service" + ("" if len(rows) == 1 else "s")
    return Report(title, parts=[Table(heads, rows)] if rows else [], next=[line] if line and not rows else [])


def scoring_report(service: str, rows: int, total: int, took: float, source: str) -> Report:
    """How far a batch is; ``total`` is 0 where nobody knows."""
    facts = [f"{total:,} rows"] if total else []
    if rows and took > 0.5:
        facts.append(f"{rows / took:,.0f} rows a second")
    if rows and total > rows and took > 1:
        facts.append(f"{seconds(took / rows * (total - rows))} left")
    parts: list[Part] = [Progress(rows, total)] if total else [Line(muted(f"{rows:,} rows so far"))]
    return Report((strong(service), " scores ", code(source)), "running", "scoring", facts, parts, kind="service", ref=service)


def scored_report(service: str, rows: int, took: float, flags: Mapping[str, int], source: str, path: str = "") -> Report:
    """What was scored, what was marked, and where it is."""
    marked = [(code(text), count, count / rows) for text, count in sorted(flags.items(), key=lambda entry: -entry[1])]
    parts: list[Part] = []
    if marked:
        parts.append(Table((Column("expectation", format="code"), "rows marked", Column("share", format="percent")), marked))
    facts = [f"{rows:,} row{'' if rows == 1 else 's'} of {source}", seconds(took)]
    title = (strong(service), *((" into ", code(path)) if path else ()))
    return Report(title, "look" if marked else "well", "scored", facts, parts, kind="service", ref=service)


def refused_report(service: str, rows: int, problems: Sequence[Mapping[str, Any]], count: int, source: str) -> Report:
    """Which rows a service refuses, and why; nothing was written."""
    told = [(p["row"], code(p["column"] or ""), _shown(p.get("value")), p.get("expectation") or p["problem"]) for p in problems[:FEW]]
    facts = [f"{count:,} problem{'' if count == 1 else 's'} in {rows:,} row{'' if rows == 1 else 's'}", "nothing was written"]
    parts: list[Part] = [Table((Column("row", format="exact"), "column", "value", "expected"), told, count)]
    return Report((strong(service), " refuses ", code(source)), "bad", "refused", facts, parts, kind="service", ref=service)


def _shown(value: Any) -> Any:
    return value if value is None or isinstance(value, (int, float, str)) else json.dumps(value, ensure_ascii=False)


def mismatch_report(mismatch: Mismatch) -> Report:
    """The rows where the packaged model answers otherwise, and why."""
    parts: list[Part] = [Note("bad", "cause", f"likely cause: {mismatch.cause}")] if mismatch.cause else []
    rows = [(row, code(one), code(two)) for row, one, two in mismatch.rows]
    what = mismatch.what.strip() or "answer"
    parts.append(Table((Column("row"), f"{what} of the notebook's model", "of the packaged one"), rows))
    facts = [] if mismatch.what == "form" else [f"{mismatch.count:,} of {mismatch.total:,} rows of {mismatch.source} differ"]
    return Report((strong(mismatch.name),), "bad", "not proven", facts, parts)


def preview_report(preview: Preview) -> Report:
    """The address and a line for the terminal first, then the code, as the Slice shows it."""
    sliced = preview.slice._report()
    following = [preview.slice.following] if preview.slice.following else []
    if not preview.live:
        if not preview.why:
            word = "replaced" if preview.server is not None and preview.server.alive else "stopped"
            return Report((strong(preview),), "idle", word, next=following)
        note = Note("look", "not served", preview.why)
        return Report((strong(preview), *_as(sliced)), "look", "preview", sliced.facts, [note, *sliced.parts], following)
    at: tuple[Any, ...] = (code(f"{preview.url}/predict"), " · ", link("docs", f"{preview.url}/docs"))
    follows = muted("it follows the notebook: a new definition answers at once; it is gone with the kernel")
    parts: list[Part] = [Line(at), Line(follows), Details("from a terminal", [Code(curl(preview), "sh")]), *sliced.parts]
    return Report((strong(preview), *_as(sliced)), sliced.state, "preview", sliced.facts, parts, following)


def curl(preview: Preview) -> str:
    """The line that asks a preview for a row of its own."""
    token = ' -H "Authorization: Bearer $NBML_TOKEN"' if preview.server is not None and preview.server.token else ""
    body = json.dumps({"rows": preview.contract.sample if preview.contract is not None else []}, ensure_ascii=False)
    return f"curl -s {preview.url}/predict -H 'Content-Type: application/json'{token} -d @- <<'JSON'\n{body}\nJSON"


def _as(sliced: Report) -> tuple[Any, ...]:
    """What of a Slice's title follows its name."""
    return tuple(sliced.title[1:]) if isinstance(sliced.title, tuple) else ()
