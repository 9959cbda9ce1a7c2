"""Rows to columns: what a service takes, and every reason why it does not take it."""

from __future__ import annotations

import difflib
import operator
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .checks import Check, Each, check
from .columns import MISSING, Column
from .conditions import Unsupported
from .patterns import TooSlow
from .quick import Quick

#: rows of a request
MOST_ROWS = 100_000
#: problems that one refusal lists
MOST = 100
#: characters of an id, and of a value that a problem shows
LONGEST_ID, LONGEST_VALUE = 256, 200
POLICIES = ("reject", "flag", "off")


@dataclass(frozen=True)
class Batch:
    """The rows of a request as columns, in the order of the manifest's inputs. Nulls are None, dates are ISO text."""

    columns: dict[str, list[Any]]
    ids: list[str]
    rows: int
    flags: list[list[str]] | None = None


class Rejected(Exception):
    """A request that is not answered. ``problems`` are at most MOST of the ``count``; each has row, id, column, value, problem."""

    def __init__(self, status: int, message: str, problems: Sequence[dict[str, Any]] = (), count: int = 0) -> None:
        super().__init__(message)
        self.status, self.message, self.problems, self.count = status, message, list(problems), count or len(problems)


@dataclass(frozen=True)
class Plan:
    """The request contract of one service. ``unsupported`` are the row expectations that only the monitor can judge."""

    inputs: tuple[Column, ...]
    key: tuple[str, ...]
    policy: str
    checks: tuple[Check, ...]
    unsupported: tuple[str, ...]
    #: why each of ``unsupported`` is
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Plan:
        """The plan of a manifest. Raises ValueError where the manifest is none."""
        inputs = tuple(Column(spec) for spec in manifest["inputs"])
        policy = manifest.get("policy") or "reject"
        if policy not in POLICIES:
            raise ValueError(f"policy is one of {', '.join(POLICIES)}, not {policy!r}")
        key = manifest.get("key") or ()
        columns = {column.name: column for column in inputs}
        made: list[Check] = []
        left: list[tuple[str, str]] = []
        for expectation in manifest.get("expectations") or ():
            if expectation.get("scope", "row") != "row":
                continue
            try:
                made.append(check(expectation, columns))
            except (Unsupported, KeyError, TypeError, ValueError) as error:
                left.append((str(expectation.get("text")), str(error)))
        texts = dict(left)
        return cls(inputs, (key,) if isinstance(key, str) else tuple(key), policy, tuple(made), tuple(texts), tuple(texts.values()))

    def read(self, body: Any) -> Batch:
        """The rows of a request's body. Raises Rejected: 400 for its form, 413 for too many rows, 422 for its rows."""
        rows, ids = self._form(body)
        if len(rows) == 1:
            batch = self._one(rows[0], ids)
            if batch is not None:
                return batch
        cells, strange = self._cells(rows)
        return self.take(cells, ids, rows, strange)

    def _one(self, row: Any, ids: list[Any] | None) -> Batch | None:
        """One row that is as it should be; None for any other."""
        values = self._quick.values(row) if type(row) is dict else None
        if values is None:
            return None
        if ids is None:
            name = _key([row.get(key) for key in self.key]) if self.key and self.key[-1] in row else new_ids(1)[0]
        else:
            name = ids[0] if type(ids[0]) is str and 0 < len(ids[0]) <= LONGEST_ID else None
        if name is None or (self.judges and not self._quick.holds(values)):
            return None
        return Batch(dict(zip(self._quick.names, [[value] for value in values], strict=True)), [name], 1, [[]] if self.marks else None)

    @cached_property
    def _quick(self) -> Quick:
        return Quick(self.inputs, self.key, self.checks)

    @cached_property
    def judges(self) -> bool:
        """Whether there is anything to be checked beside names and types."""
        return self.policy != "off" and bool(self.checks)

    @cached_property
    def marks(self) -> bool:
        """Whether answers bear flags."""
        return self.policy == "flag" or (self.judges and any(check.soft for check in self.checks))

    def take(
        self, cells: Mapping[str, Sequence[Any]], ids: list[Any] | None, rows: Sequence[Any], strange: Sequence[tuple[int, str | None]] = ()
    ) -> Batch:
        """The columns of a request, those of the key among them. Raises Rejected with 422."""
        known = self._ids(ids, cells, len(rows))
        found = _Problems(known)
        for i, name in strange:
            found.add(i, name, None, *(self._strange(rows[i], name) if found.open else ("", {})))
        if ids is not None:
            _check_ids(ids, found)
        elif any(name in cells for name in self.key):
            self._check_keys(cells, known, found)
        columns, wrong = self._columns(cells, strange, found)
        flags = self._judge(columns, wrong, found, len(rows))
        found.refuse(self, len(rows))
        made = new_ids(known.count(None)) if None in known else []
        return Batch(columns, [made.pop() if i is None else i for i in known], len(rows), flags)

    # -- form -------------------------------------------------------------------------------------------------

    def _form(self, body: Any) -> tuple[list[Any], list[Any] | None]:
        """``rows`` and ``ids`` of a body."""
        if type(body) is not dict:
            raise Rejected(400, f"the body is {_kind(body)}; expected an object: {self.example()}")
        for name in body:
            if name not in ("rows", "ids"):
                close = nearest(name, ("rows", "ids"))
                hint = f"nearest: {close}" if close else f"expected {self.example()}"
                raise Rejected(400, f"the body has a member {_short(name)!r}; {hint}")
        rows, ids = body.get("rows", MISSING), body.get("ids")
        if type(rows) is not list or not rows:
            what = "has no rows" if rows is MISSING else "has rows that are " + ("empty" if rows == [] else _kind(rows))
            raise Rejected(400, f"the body {what}; expected {self.example()}")
        if len(rows) > MOST_ROWS:
            raise Rejected(413, f"{len(rows):,} rows; send at most {MOST_ROWS:,} at a time")
        if ids is not None and type(ids) is not list:
            raise Rejected(400, f"ids are {_kind(ids)}; expected an array of as many texts as there are rows: {len(rows)}")
        if ids is not None and len(ids) != len(rows):
            raise Rejected(400, f"{len(ids)} ids for {len(rows)} rows; expected as many ids as rows")
        return rows, ids

    def example(self) -> str:
        """A body that has the right form."""
        some = ", ".join(f'"{column.name}": ...' for column in self.inputs[:2]) + (", ..." if len(self.inputs) > 2 else "")
        return f'{{"rows": [{{{some}}}]}}'

    # -- rows to cells ----------------------------------------------------------------------------------------

    def _cells(self, rows: list[Any]) -> tuple[dict[str, Sequence[Any]], list[tuple[int, str | None]]]:
        """The values of each column, and what stands in the way: (row, unknown column) or (row, None) for a row that is none."""
        names = [column.name for column in self.inputs]
        more = [name for name in self.key if name not in names and type(rows[0]) is dict and name in rows[0]]
        names += more
        pick: Callable[[Any], Any] = operator.itemgetter(*names, names[0])  # twice, so that it is a tuple with one column too
        size = len(names)
        try:
            picked = [pick(row) for row in rows if type(row) is dict and len(row) == size]
            if len(picked) == len(rows):
                return dict(zip(names, zip(*picked, strict=True), strict=False)), []
        except KeyError:
            pass
        return self._odd_cells(rows)

    def _odd_cells(self, rows: list[Any]) -> tuple[dict[str, Sequence[Any]], list[tuple[int, str | None]]]:
        names = dict.fromkeys([*(column.name for column in self.inputs), *self.key])
        strange: list[tuple[int, str | None]] = []
        for i, row in enumerate(rows):
            if type(row) is not dict:
                strange.append((i, None))
            elif not row.keys() <= names.keys():
                strange += [(i, name) for name in row if name not in names]
        cells = {name: [row.get(name, MISSING) if type(row) is dict else MISSING for row in rows] for name in names}
        inputs = {column.name for column in self.inputs}
        for name in self.key:
            if name not in inputs and all(value is MISSING for value in cells[name]):
                del cells[name]
        return dict(cells), strange

    def _strange(self, row: Any, name: str | None) -> tuple[str, dict[str, Any]]:
        if name is None:
            return f"a row is {_kind(row)}; expected an object", {"expected": "an object", "value": _shown(row)}
        close = nearest(name, [column.name for column in self.inputs])
        hint = f"; nearest: {close}" if close else ""
        return f"unknown column{hint}", {"value": _shown(row[name])} | ({"nearest": close} if close else {})

    # -- ids --------------------------------------------------------------------------------------------------

    def _ids(self, ids: list[Any] | None, cells: Mapping[str, Sequence[Any]], rows: int) -> list[str | None]:
        """The ids that the client or the key column gives; None where there is none."""
        if ids is not None:
            return [value if type(value) is str and value else None for value in ids]
        keys = [cells[name] for name in self.key if name in cells]
        if not keys or len(keys) < len(self.key):
            return [None] * rows
        return [_key(values) for values in zip(*keys, strict=True)]

    def _check_keys(self, cells: Mapping[str, Sequence[Any]], ids: Sequence[str | None], found: _Problems) -> None:
        """A row without its key cannot be told from others later. Missing inputs are told as such."""
        inputs = {column.name for column in self.inputs}
        for name in self.key:
            for i, value in enumerate(cells.get(name, [MISSING] * len(ids))):
                if ids[i] is None and _key([value]) is None and not (value is MISSING and name in inputs):
                    found.add(i, name, value, "expected a text or a number, since it identifies the row; or send ids")

    # -- cells to columns -------------------------------------------------------------------------------------

    def _columns(
        self, cells: Mapping[str, Sequence[Any]], strange: Iterable[tuple[int, str | None]], found: _Problems
    ) -> tuple[dict[str, list[Any]], set[tuple[int, str]]]:
        """The columns, and the cells that hold nothing to be judged."""
        columns: dict[str, list[Any]] = {}
        wrong: set[tuple[int, str]] = set()
        no_rows = {i for i, name in strange if name is None}
        for column in self.inputs:
            values = cells[column.name]
            if not column.look and column.plain.issuperset(map(type, values)):  # read() in short, for the usual request
                columns[column.name] = list(values)
                continue
            columns[column.name], bad = column.read(values)
            for i in bad:
                wrong.add((i, column.name))
                value = values[i]
                if value is not MISSING:
                    found.add(i, column.name, value, f"expected {column.expected}", {"expected": column.expected})
                elif i not in no_rows:
                    found.add(i, column.name, None, "the column is missing", {"expected": column.expected})
        return columns, wrong

    def _judge(
        self, columns: Mapping[str, list[Any]], wrong: set[tuple[int, str]], found: _Problems, rows: int
    ) -> list[list[str]] | None:
        """The broken expectations of each row that do not reject it; the others are added to ``found``."""
        if not self.judges:
            return [[] for _ in range(rows)] if self.marks else None
        compared = {c.name: c.comparable(columns[c.name]) for c in self.inputs if c.kind == "datetime"}
        cells = {**columns, **compared} if compared else columns
        rejects = self.policy == "reject"
        flags: list[list[str]] | None = [[] for _ in range(rows)] if self.marks else None
        for each in self.checks:
            refuses = rejects and not each.soft
            try:
                broken = each.broken(cells)
            except TooSlow as slow:
                broken = slow.broken
                if refuses:
                    column, problem = each.columns[0], f"breaks the time that {each.text} may take: send shorter texts, or fewer rows"
                    found.add(slow.at, column, columns[column][slow.at], problem, {"expectation": each.text})
                    continue
            for i in broken:
                if wrong and any((i, name) in wrong for name in each.reads):
                    continue
                if refuses:
                    shown = [columns[name][i] for name in each.columns]
                    value = shown[0] if len(shown) == 1 else dict(zip(each.columns, shown, strict=True))
                    more = each.broken.told(value) if isinstance(each.broken, Each) else ""
                    found.add(i, each.columns[0], value, f"breaks {each.text}{more}", {"expectation": each.text})
                elif flags is not None and each.text not in flags[i]:
                    flags[i].append(each.text)
        return flags


def new_ids(count: int) -> list[str]:
    """Ids that nobody has had: 32 random hexadecimal digits each."""
    digits = os.urandom(16 * count).hex()
    return [digits[i : i + 32] for i in range(0, len(digits), 32)]


class _Problems:
    """What is wrong with a request: all are counted, the first MOST are kept."""

    def __init__(self, ids: Sequence[str | None]) -> None:
        self.ids, self.count, self.kept = ids, 0, []  # type: tuple[Sequence[str | None], int, list[dict[str, Any]]]
        self.rows: set[int] = set()

    @property
    def open(self) -> bool:
        """Whether one more is kept: what is only counted need not be told, nor its nearest be sought."""
        return len(self.kept) < MOST

    def add(self, row: int, column: str | None, value: Any, problem: str, more: Mapping[str, Any] | None = None) -> None:
        self.count += 1
        self.rows.add(row)
        if self.open:
            name = None if column is None else _short(column)
            about = {"row": row, "id": self.ids[row], "column": name, "value": _shown(value), "problem": problem}
            self.kept.append({**about, **(more or {})})

    def refuse(self, plan: Plan, rows: int) -> None:
        """Raises Rejected where there is a problem; its message tells the first."""
        if not self.count:
            return
        self.kept.sort(key=lambda problem: problem["row"])
        first = self.kept[0]
        where = f"row {first['row']}" + ("" if first["column"] is None else f", column {first['column']!r}")
        untold = first["problem"].startswith(("a row is", "the column", "unknown column"))
        told = first["problem"] if untold else f"found {_text(first['value'])}, {first['problem']}"
        if first["problem"].startswith("breaks"):
            told = f"{_text(first['value'])} {first['problem']}"
        many = f"{self.count} problems in {len(self.rows)} of {rows} rows; first: " if self.count > 1 else ""
        raise Rejected(422, f"{many}{where}: {told}", self.kept, self.count)


def _check_ids(ids: Sequence[Any], found: _Problems) -> None:
    seen: dict[str, int] = {}
    for i, value in enumerate(ids):
        if type(value) is not str or not 0 < len(value) <= LONGEST_ID:
            found.add(i, "ids", value, f"expected a text of 1 to {LONGEST_ID} characters")
        elif value in seen:
            found.add(i, "ids", value, f"is the id of row {seen[value]} too; expected each once")
        else:
            seen[value] = i


def _key(values: Sequence[Any]) -> str | None:
    """The id that key values make; None where one of them identifies nothing."""
    parts = []
    for value in values:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) not in (str, int, float) or value == "" or len(str(value)) > LONGEST_ID:
            return None
        parts.append(str(value))
    return ",".join(parts)


def nearest(name: Any, names: Iterable[str]) -> str | None:
    known = {n.lower(): n for n in names}
    found = difflib.get_close_matches(str(name)[:LONGEST_VALUE].lower(), list(known), n=1, cutoff=0.6)
    return known[found[0]] if found else None


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "..."


def _shown(value: Any) -> Any:
    """A value as a problem shows it: scalars as they are, long ones cut."""
    if isinstance(value, str):
        return _short(value)
    if isinstance(value, (int, float, bool, type(None))):
        return value if not isinstance(value, int) or abs(value) < 2**63 else str(value)[:LONGEST_VALUE]
    if value is MISSING:
        return None
    if isinstance(value, dict) and len(value) <= 8:
        return {_short(str(k)): _shown(v) for k, v in value.items() if not isinstance(v, (dict, list))}
    return _kind(value)


def _text(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
