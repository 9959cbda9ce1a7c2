"""The tables of ``.nbml/nbml.db`` and their migrations.

Decided once: later stages fill tables, they do not add columns. Within a major version a migration only adds.

=========  ==========================================================================================
thing      every versioned thing: dataset, suite, validation, run, study, service, deployment
edge       all lineage: from one thing to another, with a role
cell       cells as executed, for the Slice and the Recipe
run        what a listing of runs needs, beside its thing; ``facts`` is a part of its body
metric     one metric of one run; ``chunk`` holds its points as int64 steps, float64 times, float64 values
trial      one configuration tried by a study
outbox     what a tracker has still to hear
process    who is at work (pid, boot id, heartbeat), from which "interrupted" is told
lease      which process holds an office that only one may hold (the sender, a supervisor)
result     what a result showed last, by its 32-digit hex id
kernel     the namespace digest of each kernel
=========  ==========================================================================================
"""

from __future__ import annotations

import sqlite3

VERSION = 2

TABLES = """
CREATE TABLE thing(
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,
  hash TEXT NOT NULL DEFAULT '', state TEXT NOT NULL DEFAULT '', made REAL NOT NULL,
  body TEXT NOT NULL DEFAULT '{}', UNIQUE(kind, name, version));
CREATE INDEX thing_hash ON thing(kind, hash);
CREATE TABLE edge(
  source INTEGER NOT NULL REFERENCES thing(id), target INTEGER NOT NULL REFERENCES thing(id),
  role TEXT NOT NULL, made REAL NOT NULL, PRIMARY KEY(source, target, role)) WITHOUT ROWID;
CREATE INDEX edge_target ON edge(target);
CREATE TABLE cell(
  id INTEGER PRIMARY KEY, session TEXT NOT NULL, seq INTEGER NOT NULL, cell TEXT NOT NULL DEFAULT '',
  count INTEGER, page INTEGER, source TEXT NOT NULL, bound TEXT NOT NULL DEFAULT '[]',
  files TEXT NOT NULL DEFAULT '[]', status TEXT NOT NULL DEFAULT 'ok', error TEXT NOT NULL DEFAULT '',
  started REAL NOT NULL, ended REAL NOT NULL, body TEXT NOT NULL DEFAULT '{}', UNIQUE(session, seq));
CREATE TABLE run(
  thing INTEGER PRIMARY KEY REFERENCES thing(id), uid TEXT UNIQUE NOT NULL, name TEXT NOT NULL,
  status TEXT NOT NULL, started REAL NOT NULL, ended REAL, process INTEGER,
  params TEXT NOT NULL DEFAULT '{}', last TEXT NOT NULL DEFAULT '{}', tags TEXT NOT NULL DEFAULT '[]');
CREATE TABLE metric(
  id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run(thing), name TEXT NOT NULL,
  n INTEGER NOT NULL DEFAULT 0, last REAL, last_step INTEGER, min REAL, max REAL, UNIQUE(run, name));
CREATE TABLE chunk(
  metric INTEGER NOT NULL REFERENCES metric(id), seq INTEGER NOT NULL, n INTEGER NOT NULL,
  step0 INTEGER, step1 INTEGER, lo REAL, hi REAL, data BLOB NOT NULL, PRIMARY KEY(metric, seq));
CREATE TABLE trial(
  study INTEGER NOT NULL REFERENCES thing(id), number INTEGER NOT NULL, state TEXT NOT NULL, score REAL,
  params TEXT NOT NULL DEFAULT '{}', folds TEXT NOT NULL DEFAULT '[]', reports TEXT NOT NULL DEFAULT '[]',
  started REAL NOT NULL, finished REAL, body TEXT NOT NULL DEFAULT '{}', PRIMARY KEY(study, number));
CREATE TABLE outbox(
  id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run(thing), tracker TEXT NOT NULL, kind TEXT NOT NULL,
  part INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'waiting', tries INTEGER NOT NULL DEFAULT 0,
  next_at REAL NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '', body TEXT NOT NULL DEFAULT '{}',
  UNIQUE(run, tracker, kind, part));
CREATE TABLE process(
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL DEFAULT '', pid INTEGER NOT NULL,
  begun TEXT NOT NULL, boot TEXT NOT NULL, started REAL NOT NULL, beat REAL NOT NULL, ended REAL,
  body TEXT NOT NULL DEFAULT '{}');
CREATE TABLE lease(
  office TEXT PRIMARY KEY, process INTEGER NOT NULL REFERENCES process(id), since REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE result(
  id TEXT PRIMARY KEY, made REAL NOT NULL, state TEXT NOT NULL, process INTEGER, bundle TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE kernel(
  id TEXT PRIMARY KEY, made REAL NOT NULL, process INTEGER, digest TEXT NOT NULL DEFAULT '{}') WITHOUT ROWID;
"""

#: what a listing of runs needs of their bodies, so that it reads none of them (ten thousand take half a second)
LISTED = """
ALTER TABLE run ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';
UPDATE run SET facts=(SELECT json_object('seconds',t.body->'$.seconds','changed',json(ifnull(t.body->'$.changed','[]')),
  'result',t.body->>'$.result') FROM thing t WHERE t.id=run.thing);
"""

#: version -> statements that lead to it from the one before
MIGRATIONS: dict[int, str] = {1: TABLES, 2: LISTED}


def migrate(db: sqlite3.Connection) -> None:
    """Bring ``db`` to ``VERSION``, in one transaction; does nothing where it is there or beyond."""
    have = version(db)
    if have >= VERSION:
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        for number in range(version(db) + 1, VERSION + 1):
            for statement in MIGRATIONS[number].split(";\n"):
                if statement.strip():
                    db.execute(statement)
            db.execute(f"PRAGMA user_version={number}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def version(db: sqlite3.Connection) -> int:
    """The schema version of an open database; 0 for an empty file."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])
