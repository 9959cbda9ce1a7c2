"""W&B's offline runs. A file is LevelDB's log with protobuf records in it; read without wandb, which is the sender's to import.

``:W&B``, 0xBEE1 and version 0; then blocks of 32 KiB with pieces: crc32 of kind and data, length, kind (1 whole, 2 first,
3 middle, 4 last). The numbers of the fields are those of wandb's ``wandb_internal.proto``, which must read old files.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbml import errors
from nbml.tracking.importing.values import Foreign, flat

TOOL = "wandb"
BLOCK = 32768
HEAD = struct.pack("<4sHB", b":W&B", 0xBEE1, 0)
HISTORY, CONFIG, RUN, EXIT = 2, 5, 17, 18
#: names that a row of wandb has for itself
OWN = ("_step", "_timestamp", "_runtime")
#: an id that nbml gave: wandb's own are of other letters and shorter
OURS = re.compile("[0-9a-f]{10}")

Fields = dict[int, list[Any]]


def run(path: Path) -> list[Foreign]:
    """The run of a ``.wandb`` file. One that was cut off is taken as far as it goes: its run was interrupted."""
    data = path.read_bytes()
    if data[:7] != HEAD:
        raise errors.BadInput(f"{path.name} is no file of W&B: it does not begin as one")
    found: Foreign | None = None
    try:
        for record in _records(data, path):
            found = _take(found, record)
    except (ValueError, IndexError, struct.error, UnicodeDecodeError) as error:
        raise errors.BadInput(f"{path.name} is damaged: {error}") from error
    if found is None or not found.id:
        raise errors.BadInput(f"{path.name} holds no run: it was cut off before its first record")
    if found.ended is None:
        found.ended = max((times[-1] for _, times, _ in found.series.values()), default=found.started)
    return [found]


def _take(run: Foreign | None, record: Fields) -> Foreign | None:
    if RUN in record:
        run = _head(run, message(record[RUN][0]))
    if run is None:
        return None
    if CONFIG in record:
        run.params |= _items(message(record[CONFIG][0]), 1)
    if HISTORY in record:
        _row(run, message(record[HISTORY][0]))
    if EXIT in record:
        said = message(record[EXIT][0])
        run.state = "finished" if not said.get(1, [0])[0] else "failed"
        run.ended = run.started + said[2][0] if 2 in said else None
    return run


def _head(run: Foreign | None, said: Fields) -> Foreign:
    """The run itself; it is told again where something of it changed."""
    id, name = _text(said, 1), _text(said, 8)
    if run is None:
        stamp = message(said[17][0]) if 17 in said else {}
        started = stamp.get(1, [0])[0] + stamp.get(2, [0])[0] / 1e9
        run = Foreign(TOOL, id, name or id, _text(said, 3), "interrupted", started, None, id if OURS.fullmatch(id) else "")
    run.name = name or run.name
    run.note = _text(said, 9) or run.note
    run.tags = [tag.decode() for tag in said.get(10, ())] or run.tags
    if 4 in said:
        run.params |= _items(message(said[4][0]), 1)
    if 21 in said:
        run.commit = _text(message(said[21][0]), 2)
    return run


def _row(run: Foreign, said: Fields) -> None:
    values = _items(said, 1)
    step = values["_step"] if "_step" in values else message(said[2][0]).get(1, [0])[0] if 2 in said else 0
    when = values.get("_timestamp") or run.started
    for name, value in flat({name: value for name, value in values.items() if name not in OWN}).items():
        run.add(name, int(step), float(when), value)


def _items(said: Fields, number: int) -> dict[str, Any]:
    """Key and JSON value of each item; wandb's own notes are left out."""
    found = {}
    for raw in said.get(number, ()):
        item = message(raw)
        name = _text(item, 1) or ".".join(part.decode() for part in item.get(2, ()))
        if name != "_wandb" and not name.startswith("_wandb."):
            found[name] = json.loads(item[16][0]) if 16 in item else None
    return found


def _text(said: Fields, number: int) -> str:
    return said[number][0].decode() if number in said else ""


def message(data: bytes) -> Fields:
    """The fields of a protobuf message: number -> values; what is inside of one is bytes."""
    found: Fields = {}
    pos = 0
    while pos < len(data):
        tag, pos = _varint(data, pos)
        number, kind = tag >> 3, tag & 7
        value: Any
        if kind == 0:
            value, pos = _varint(data, pos)
        elif kind == 2:
            size, pos = _varint(data, pos)
            value, pos = data[pos : pos + size], pos + size
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, pos = struct.unpack("<d" if kind == 1 else "<f", data[pos : pos + size])[0], pos + size
        else:
            raise ValueError(f"a field of kind {kind}")
        if pos > len(data):
            raise ValueError("a field that is cut off")
        found.setdefault(number, []).append(value)
    return found


def _varint(data: bytes, pos: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        byte = data[pos]
        pos += 1
        found |= (byte & 127) << shift
        if byte < 128:
            return found, pos
        shift += 7


def _records(data: bytes, path: Path) -> Iterator[Fields]:
    """All records. What is cut off at the end is left out; damage before the end is an error."""
    pos, buffer = 7, b""
    while pos + 7 <= len(data):
        left = BLOCK - pos % BLOCK
        if left < 7:
            pos += left
            continue
        crc, size, kind = struct.unpack("<IHB", data[pos : pos + 7])
        body = data[pos + 7 : pos + 7 + size]
        if len(body) < size or (kind == 0 and not any(data[pos:])):
            return
        if zlib.crc32(bytes([kind]) + body) != crc:
            if len(data) - pos <= BLOCK:
                return
            raise errors.BadInput(f"{path.name} is damaged at byte {pos:,} of {len(data):,}")
        pos += 7 + size
        buffer = body if kind in (1, 2) else buffer + body
        if kind in (1, 4):
            yield message(buffer)
