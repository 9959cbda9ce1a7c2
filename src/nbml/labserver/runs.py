"""All runs as the panel lists them: light rows, and once they were sent only what has changed since.

A row is ``[thing, uid, name, version, state, started, seconds, tags, findings, codes, metrics]``: ``findings`` is their number, ``codes``
theirs with blanks between, ``metrics`` the last values. What is long is cut; NaN and infinity are texts.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
import secrets
from collections import OrderedDict
from typing import Any

from nbml.store import Store

#: answers that are remembered of one project, so that whoever has one of them is told the difference only
REMEMBERED = 4
#: characters of the JSON of metrics or tags beyond which only the first of them are sent, and how many these are
LONG, FIRST = 600, 12
#: characters of a name in them
WORD = 80
#: ten thousand runs have the same few names
_quoted = functools.lru_cache(1000)(json.dumps)
_SECONDS = re.compile(r'"seconds": ?([0-9][0-9.e+-]*)')

class Lists:
    """The lists that were sent, project by project. Used in one thread only."""

    def __init__(self) -> None:
        self._sent: dict[str, OrderedDict[str, dict[int, str]]] = {}
        self._run = secrets.token_hex(4)
        self._number = 0

    def answer(self, store: Store, project: str, since: str) -> str:
        """The JSON of an answer: all runs, newest first, or what has changed since the answer of that serial."""
        sent = self._sent.setdefault(project, OrderedDict())
        now = read(store)
        serial = next(reversed(sent), "")
        if not sent or sent[serial] != now:
            self._number += 1
            serial = f"{self._run}.{self._number}"
            sent[serial] = now
            while len(sent) > REMEMBERED:
                sent.popitem(last=False)
        before = sent.get(since)
        rows = now.values() if before is None else [said for thing, said in now.items() if before.get(thing) != said]
        gone = [] if before is None else [thing for thing in before if thing not in now]
        head = {"version": 1, "project": project, "serial": serial, "whole": before is None, "total": len(now), "gone": gone}
        return f'{json.dumps(head)[:-1]}, "rows": [{",".join(rows)}]}}'


def read(store: Store) -> dict[int, str]:
    """Thing -> the JSON of its row, newest first."""
    # a record that an earlier version wrote last, and that may not be changed here, knows of no findings
    facts = "r.facts" if store.read("SELECT 1 FROM pragma_table_info('run') WHERE name='facts'") else "'{}'"
    found = store.read(
        f"SELECT r.thing, r.uid, r.name, t.version, r.status, r.started, r.tags, r.last, {facts}, r.process"  # noqa: S608
        " FROM run r JOIN thing t ON t.id=r.thing ORDER BY r.thing DESC"
    )
    living = {process for process in {row[9] for row in found if row[4] == "running"} if process is not None and store.alive(process)}
    return {row[0]: _row(tuple(row), living) for row in found}


def _row(row: tuple[Any, ...], living: set[int]) -> str:
    """What the record has as JSON is handed on as it is; only what is long, or has findings, is read."""
    thing, uid, name, version, state, started, tags, last, facts, process = row
    if state == "running" and process not in living:
        state = "interrupted"
    seconds, codes = _SECONDS.search(facts), _codes(facts) if '"findings"' in facts else []
    found = f"{len(codes)},{_quoted(' '.join(codes))}"
    tags = tags if len(tags) <= LONG else json.dumps([str(tag)[:WORD] for tag in json.loads(tags)[:FIRST]])
    last = last if len(last) <= LONG else json.dumps({k[:WORD]: v for k, v in itertools.islice(json.loads(last).items(), FIRST)})
    took = seconds[1] if seconds else "null"
    return f'[{thing},"{uid}",{_quoted(name)},{version},"{state}",{started},{took},{tags},{found},{last}]'


def _codes(facts: str) -> list[str]:
    said = json.loads(facts).get("findings")
    return [str(one.get("code", ""))[:WORD] if isinstance(one, dict) else str(one)[:WORD] for one in said or ()]
