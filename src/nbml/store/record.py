"""The project's record: versioned things, the edges between them, blobs and results.

Every write goes through one thread of the process (``Writer``) and is durable when the call returns. Reads are
short and open the database read-only, so a read-only folder can be read.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from nbml import errors
from nbml.store import blobs, chunks, project, schema
from nbml.store.processes import Process, begun, boot_id, runs
from nbml.store.secrets import Redaction
from nbml.store.writer import Writer, connect

T = TypeVar("T")

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
#: the line that makes another folder the project, where this one cannot be written to
ELSEWHERE = "import os; os.environ['NBML_PROJECT'] = '~/nbml-project'; get_ipython().run_line_magic('reload_ext', 'nbml')"
RESULT_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Thing:
    """A version of something that has a name. ``body`` is JSON; ``made`` is seconds since the epoch, UTC."""

    id: int
    kind: str
    name: str
    version: int
    hash: str = ""
    state: str = ""
    made: float = 0.0
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        return f"{self.name}@{self.version}"


def check_name(name: str) -> str:
    """``name``, or errors.BadName."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        fit = re.sub(r"[^a-z0-9._-]+", "-", str(name).lower()).strip("-._")[:63]
        raise errors.BadName(
            f"the name {str(name)!r} does not fit: lower-case letters, digits, '.', '_' and '-', at most 63"
            + (f"; {fit!r} would" if NAME.fullmatch(fit) else "")
        )
    return name


def split_ref(ref: str) -> tuple[str, int | None]:
    """``"churn@3"`` -> ``("churn", 3)``; ``"churn"`` -> ``("churn", None)``. Raises errors.BadName."""
    name, at, number = str(ref).partition("@")
    check_name(name)
    if not at:
        return name, None
    if not number.isdigit() or int(number) < 1:
        raise errors.BadName(f"{ref!r} is no reference: after @ comes the number of a version, as in {name}@1")
    return name, int(number)


class Store:
    """The record of one project. Safe with several processes and threads; opening it creates it where it may."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root).resolve()
        self.folder = self.root / project.FOLDER
        self.path = self.folder / "nbml.db"
        self.readonly = not project.prepare(self.root)
        self._writer: Writer | None = None
        self._lock = threading.Lock()
        self._local = threading.local()
        self._self: Process | None = None
        self._redaction = Redaction()
        self._redaction.learn(os.environ)
        self._pid = os.getpid()
        self._check_version()

    # -- raw access -----------------------------------------------------------------------------------------

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` in one transaction; returns when it is durable. Raises errors.StoreError."""
        try:
            return self._writing().write(work)
        except sqlite3.Error as error:
            raise self._mapped(error) from error

    def later(self, work: Callable[[sqlite3.Connection], Any]) -> None:
        """Queue ``work``; it is durable within about 100 ms. Never waits."""
        self._writing().later(work)

    def flush(self) -> None:
        """Wait until all that was queued before is durable."""
        if self._writer is not None and not self.readonly:
            self.write(lambda db: None)

    def read(self, sql: str, args: Iterable[Any] | Mapping[str, Any] = ()) -> list[sqlite3.Row]:
        """Rows of a SELECT; no rows where nothing was ever written."""
        db = self._reading()
        if db is None:
            return []
        try:
            return db.execute(sql, args if isinstance(args, Mapping) else tuple(args)).fetchall()
        except sqlite3.Error as error:
            raise self._mapped(error) from error

    def change(self) -> int:
        """A number that differs after another process, or this one's writer, has written."""
        db = self._reading()
        return 0 if db is None else int(db.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Finish what is queued; the store opens again by itself when used."""
        with self._lock:
            writer, self._writer = self._writer, None
            self._self = None
        if writer is not None:
            writer.close()
        db = getattr(self._local, "db", None)
        if db is not None:
            db.close()
            self._local.db = None

    # -- things ---------------------------------------------------------------------------------------------

    def add(
        self,
        kind: str,
        name: str,
        body: Mapping[str, Any] | None = None,
        *,
        hash: str = "",
        state: str = "",
        same: bool = False,
        edges: Iterable[tuple[Thing | int, str]] = (),
    ) -> Thing:
        """A new version of ``name``. With ``same``, the latest version where its hash is equal, and nothing is written.

        ``edges`` are (target, role), from the new thing.
        """
        check_name(name)
        text, made, links = _json(body or {}), time.time(), list(edges)

        def work(db: sqlite3.Connection) -> Thing:
            row = db.execute(
                "SELECT * FROM thing WHERE kind=? AND name=? ORDER BY version DESC LIMIT 1", (kind, name)
            ).fetchone()
            if same and row is not None and row["hash"] == hash:
                return _thing(row)
            version = 1 if row is None else row["version"] + 1
            new = db.execute(
                "INSERT INTO thing(kind,name,version,hash,state,made,body) VALUES(?,?,?,?,?,?,?)",
                (kind, name, version, hash, state, made, text),
            ).lastrowid
            for target, role in links:
                _link(db, int(new or 0), target, role)
            return Thing(int(new or 0), kind, name, version, hash, state, made, json.loads(text))

        return self.write(work)

    def update(self, thing: Thing, body: Mapping[str, Any] | None = None, state: str | None = None) -> Thing:
        """Merge ``body`` into the thing's, key by key, and set its state."""

        def work(db: sqlite3.Connection) -> Thing:
            row = db.execute("SELECT * FROM thing WHERE id=?", (thing.id,)).fetchone()
            merged = {**json.loads(row["body"]), **(body or {})}
            db.execute(
                "UPDATE thing SET body=?, state=? WHERE id=?",
                (_json(merged), row["state"] if state is None else state, thing.id),
            )
            return _thing(db.execute("SELECT * FROM thing WHERE id=?", (thing.id,)).fetchone())

        return self.write(work)

    def find(self, kind: str, ref: str) -> Thing | None:
        """By ``name`` (the latest version) or ``name@n``; None where there is none."""
        name, version = split_ref(ref)
        rows = self.read(
            "SELECT * FROM thing WHERE kind=? AND name=? AND (? IS NULL OR version=?) ORDER BY version DESC LIMIT 1",
            (kind, name, version, version),
        )
        return _thing(rows[0]) if rows else None

    def by_id(self, id: int) -> Thing | None:
        rows = self.read("SELECT * FROM thing WHERE id=?", (id,))
        return _thing(rows[0]) if rows else None

    def by_hash(self, kind: str, hash: str) -> Thing | None:
        """The newest thing of that kind and hash."""
        rows = self.read("SELECT * FROM thing WHERE kind=? AND hash=? ORDER BY id DESC LIMIT 1", (kind, hash))
        return _thing(rows[0]) if rows else None

    def latest(self, kind: str) -> list[Thing]:
        """The latest version of each name, newest first."""
        rows = self.read(
            "SELECT * FROM thing t WHERE kind=? AND version=(SELECT max(version) FROM thing u"
            " WHERE u.kind=t.kind AND u.name=t.name) ORDER BY id DESC",
            (kind,),
        )
        return [_thing(row) for row in rows]

    def all(self, kind: str, limit: int = -1) -> list[Thing]:
        """All versions of all names, newest first."""
        rows = self.read("SELECT * FROM thing WHERE kind=? ORDER BY id DESC LIMIT ?", (kind, limit))
        return [_thing(row) for row in rows]

    def versions(self, kind: str, name: str) -> list[Thing]:
        """All versions of a name, oldest first."""
        rows = self.read("SELECT * FROM thing WHERE kind=? AND name=? ORDER BY version", (kind, name))
        return [_thing(row) for row in rows]

    # -- edges ----------------------------------------------------------------------------------------------

    def link(self, source: Thing | int, target: Thing | int, role: str) -> None:
        """An edge; a second one of the same role is the first."""
        self.write(lambda db: _link(db, source, target, role))

    def edges_from(self, thing: Thing) -> list[tuple[str, Thing]]:
        rows = self.read(
            "SELECT e.role, t.* FROM edge e JOIN thing t ON t.id=e.target WHERE e.source=? ORDER BY t.id", (thing.id,)
        )
        return [(row["role"], _thing(row)) for row in rows]

    def edges_to(self, thing: Thing) -> list[tuple[str, Thing]]:
        rows = self.read(
            "SELECT e.role, t.* FROM edge e JOIN thing t ON t.id=e.source WHERE e.target=? ORDER BY t.id", (thing.id,)
        )
        return [(row["role"], _thing(row)) for row in rows]

    # -- blobs and folders ----------------------------------------------------------------------------------

    def put_blob(self, content: bytes | Path) -> str:
        """Keep bytes, or a copy of a file; returns their SHA-256 in hex. The same content is kept once."""
        self._writable()
        return blobs.put(self.folder / "blobs", content)

    def blob(self, hash: str) -> Path:
        """Where a blob lies. Raises errors.StoreDamaged where it does not."""
        return blobs.find(self.folder / "blobs", hash)

    def read_blob(self, hash: str) -> bytes:
        """A blob's bytes, compared with their hash. Raises errors.StoreDamaged."""
        return blobs.read(self.folder / "blobs", hash)

    def put_pieces(self, content: memoryview, cuts: Sequence[int]) -> chunks.Kept:
        """Keep a large file in the pieces that ``cuts`` bound; pieces that other files have are kept once."""
        self._writable()
        return chunks.put(self.folder / "blobs", content, cuts)

    def opened(self, hash: str) -> BinaryIO:
        """A blob, or a file kept in pieces, to be read. Raises errors.StoreDamaged, at once or when it is read."""
        return chunks.opened(self.folder / "blobs", hash)

    def whole(self, hash: str) -> bool:
        """Whether a blob, and each piece where it is a list of pieces, is there; their content is not read."""
        return chunks.whole(self.folder / "blobs", hash)

    def room(self, *parts: str) -> Path:
        """A private folder under ``.nbml/``, made where it is missing."""
        self._writable()
        folder = self.folder.joinpath(*parts)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    # -- results, cells, kernels ----------------------------------------------------------------------------

    def put_result(self, id: str, bundle: Mapping[str, Any], state: str) -> None:
        """What a result shows now; ``id`` is 32 hex digits."""
        if not RESULT_ID.fullmatch(id):
            raise errors.BadName(f"{id!r} is no id of a result: 32 hexadecimal digits")
        text, now = _json(bundle), time.time()
        owner = self.me().id if state == "running" else None
        self.write(
            lambda db: db.execute(
                "INSERT INTO result(id,made,state,process,bundle) VALUES(?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET"
                " made=excluded.made, state=excluded.state, process=excluded.process, bundle=excluded.bundle",
                (id, now, state, owner, text),
            )
        )

    def result(self, id: str) -> dict[str, Any] | None:
        """The bundle stored last under ``id``. One whose process is gone while it ran says "interrupted"."""
        if not RESULT_ID.fullmatch(id):
            return None
        rows = self.read("SELECT state, process, bundle FROM result WHERE id=?", (id,))
        if not rows:
            return None
        bundle: dict[str, Any] = json.loads(rows[0]["bundle"])
        if rows[0]["state"] == "running" and not self.alive(rows[0]["process"]):
            bundle |= {"state": "look", "word": "interrupted"}
        return bundle

    def add_cell(
        self,
        session: str,
        seq: int,
        source: str,
        *,
        cell: str = "",
        count: int | None = None,
        page: int | None = None,
        bound: Iterable[str] = (),
        files: Iterable[tuple[str, str]] = (),
        status: str = "ok",
        error: str = "",
        started: float = 0.0,
        ended: float = 0.0,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        """One executed cell, queued, without its secrets. ``files`` are (path, hash) of what it read; ``page`` its place on the page."""
        names, read = json.dumps(list(bound)), json.dumps(list(files))

        def work(db: sqlite3.Connection) -> None:
            clean = self._redaction
            row = (session, seq, cell, count, page, clean.source(source), names, read, status, clean.text(error), started, ended)
            said = {key: clean.source(value) if isinstance(value, str) else value for key, value in (body or {}).items()}
            db.execute(
                "INSERT OR REPLACE INTO cell(session,seq,cell,count,page,source,bound,files,status,error,started,ended,body)"
                " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)", (*row, _json(said)),
            )  # fmt: skip

        self.later(work)

    def learned(self, secrets: Iterable[str]) -> None:
        """Cells that are written from now on are written without these."""
        self._redaction.known.update(secrets)

    def put_digest(self, kernel: str, digest: Mapping[str, Any]) -> None:
        """What a kernel's namespace holds now (names, kinds, shapes; never values), queued."""
        owner, now, text = self.me().id, time.time(), _json(digest)
        self.later(
            lambda db: db.execute(
                "INSERT OR REPLACE INTO kernel(id,made,process,digest) VALUES(?,?,?,?)", (kernel, now, owner, text)
            )
        )

    def digest(self, kernel: str) -> dict[str, Any]:
        rows = self.read("SELECT digest FROM kernel WHERE id=?", (kernel,))
        return json.loads(rows[0]["digest"]) if rows else {}

    # -- processes ------------------------------------------------------------------------------------------

    def join(self, kind: str, name: str = "", body: Mapping[str, Any] | None = None) -> Process:
        """Write this process down as being at work."""
        pid, now, text = os.getpid(), time.time(), _json(body or {})
        since, boot = begun(pid), boot_id()
        new = self.write(
            lambda db: db.execute(
                "INSERT INTO process(kind,name,pid,begun,boot,started,beat,body) VALUES(?,?,?,?,?,?,?,?)",
                (kind, name, pid, since, boot, now, now, text),
            ).lastrowid
        )
        return Process(int(new or 0), kind, name, pid, since, boot, now, now, None, json.loads(text))

    def me(self, kind: str = "kernel") -> Process:
        """This process's row, written at the first call."""
        if self._self is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._self = self.join(kind)
        return self._self

    def beat(self, process: Process) -> None:
        """Say that ``process`` is still at work, queued."""
        now = time.time()
        self.later(lambda db: db.execute("UPDATE process SET beat=? WHERE id=?", (now, process.id)))

    def leave(self, process: Process) -> None:
        """Write down that ``process`` has ended, and give back its leases."""
        now = time.time()

        def work(db: sqlite3.Connection) -> None:
            db.execute("UPDATE process SET ended=? WHERE id=?", (now, process.id))
            db.execute("DELETE FROM lease WHERE process=?", (process.id,))

        self.write(work)

    def processes(self, kind: str) -> list[Process]:
        """Those of ``kind`` that are at work now."""
        rows = self.read("SELECT * FROM process WHERE kind=? AND ended IS NULL ORDER BY id", (kind,))
        return [p for p in map(_process, rows) if runs(p.pid, p.begun, p.boot)]

    def alive(self, process: Process | int | None) -> bool:
        """Whether the very process still runs and has not said that it ended."""
        if process is None:
            return False
        number = process if isinstance(process, int) else process.id
        rows = self.read("SELECT * FROM process WHERE id=?", (number,))
        return bool(rows) and rows[0]["ended"] is None and runs(rows[0]["pid"], rows[0]["begun"], rows[0]["boot"])

    def lease(self, office: str, process: Process) -> bool:
        """Take an office that one process may hold. False where another, living one holds it."""
        now = time.time()

        def work(db: sqlite3.Connection) -> bool:
            row = db.execute(
                "SELECT p.* FROM lease l JOIN process p ON p.id=l.process WHERE l.office=?", (office,)
            ).fetchone()
            if row is not None and row["id"] != process.id:
                holder = _process(row)
                if holder.ended is None and runs(holder.pid, holder.begun, holder.boot):
                    return False
            db.execute("INSERT OR REPLACE INTO lease(office,process,since) VALUES(?,?,?)", (office, process.id, now))
            return True

        return self.write(work)

    def give_back(self, office: str, process: Process) -> None:
        """End a lease of ``process``."""
        self.write(lambda db: db.execute("DELETE FROM lease WHERE office=? AND process=?", (office, process.id)))

    def holder(self, office: str) -> Process | None:
        """The living process that holds the office."""
        rows = self.read("SELECT p.* FROM lease l JOIN process p ON p.id=l.process WHERE l.office=?", (office,))
        return _process(rows[0]) if rows and self.alive(rows[0]["id"]) else None

    # -- inside ---------------------------------------------------------------------------------------------

    def _writable(self) -> None:
        if self.readonly:
            raise errors.ReadOnlyStore(
                f"the store of {self.root} can be read, not written",
                next=ELSEWHERE,
            )

    def _writing(self) -> Writer:
        self._writable()
        with self._lock:
            if self._writer is None or self._pid != os.getpid():
                self._pid, self._self = os.getpid(), None
                self._writer = Writer(self.path)
            return self._writer

    def _reading(self) -> sqlite3.Connection | None:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is not None and getattr(self._local, "pid", 0) == os.getpid():
            return db
        if not self.path.exists():
            return None
        try:
            db = connect(self.path, write=False, readonly=self.readonly)
            if schema.version(db) == 0:
                db.close()
                return None
        except sqlite3.Error as error:
            raise self._mapped(error) from error
        self._local.db, self._local.pid = db, os.getpid()
        return db

    def _check_version(self) -> None:
        db = self._reading()
        if db is not None and schema.version(db) // 1000 > schema.VERSION // 1000:
            raise errors.StoreTooNew(
                f"the store of {self.root} was written by a later nbml (schema {schema.version(db)}, "
                f"this one knows {schema.VERSION}): update nbml and restart the kernel and the Jupyter server"
            )

    def _mapped(self, error: sqlite3.Error) -> errors.StoreError:
        text = str(error)
        if ("readonly" in text or "read-only" in text) and self.readonly:
            return errors.ReadOnlyStore(f"the store of {self.root} can be read, not written ({text})", next=ELSEWHERE)
        if "malformed" in text or "not a database" in text:
            return errors.StoreDamaged(f"the database of {self.root} is damaged ({text}): put back a copy of .nbml/nbml.db")
        return errors.StoreError(f"the store of {self.root} did not take it: {text}")


def _json(value: Mapping[str, Any]) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode()  # half of a surrogate pair has no place in a database


def _thing(row: sqlite3.Row) -> Thing:
    return Thing(
        row["id"], row["kind"], row["name"], row["version"], row["hash"], row["state"], row["made"],
        json.loads(row["body"]),
    )  # fmt: skip


def _process(row: sqlite3.Row) -> Process:
    return Process(
        row["id"], row["kind"], row["name"], row["pid"], row["begun"], row["boot"], row["started"], row["beat"],
        row["ended"], json.loads(row["body"]),
    )  # fmt: skip


def _link(db: sqlite3.Connection, source: Thing | int, target: Thing | int, role: str) -> None:
    ids = [t if isinstance(t, int) else t.id for t in (source, target)]
    db.execute("INSERT OR IGNORE INTO edge(source,target,role,made) VALUES(?,?,?,?)", (*ids, role, time.time()))
