"""Large files in pieces that other files share: each piece is a blob, and so is the list of them that stands for the file.

The list is written last, so whoever has its hash has the pieces too.
"""

from __future__ import annotations

import bisect
import io
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbml import errors
from nbml.store import blobs

#: how a list of pieces begins
MARK = b"nbml-chunks-1\n"


@dataclass(frozen=True)
class Kept:
    """A file that was kept: the hash that stands for it, its size, and how many bytes of it were not there before."""

    blob: str
    size: int
    new: int


def put(folder: Path, content: memoryview, cuts: Sequence[int]) -> Kept:
    """Keep ``content`` in pieces from each of ``cuts`` to the next; with two cuts, as one blob."""
    pieces = [content[start:end] for start, end in itertools.pairwise(cuts)]
    stored = blobs.put_all(folder, pieces)
    new = sum(len(piece) for piece, (_, fresh) in zip(pieces, stored, strict=True) if fresh)
    if len(pieces) == 1:
        return Kept(stored[0][0], len(content), new)
    listed = [[digest, len(piece)] for piece, (digest, _) in zip(pieces, stored, strict=True)]
    text = MARK + json.dumps({"size": len(content), "pieces": listed}, separators=(",", ":")).encode()
    ((digest, fresh),) = blobs.put_all(folder, [memoryview(text)])
    return Kept(digest, len(content), new + (len(text) if fresh else 0))


def listed(content: bytes | memoryview) -> list[tuple[str, int]] | None:
    """Hash and length of each piece where ``content`` is a list of pieces; else None. Raises errors.StoreDamaged."""
    if bytes(content[: len(MARK)]) != MARK:
        return None
    try:
        return [(str(digest), int(length)) for digest, length in json.loads(bytes(content[len(MARK) :]))["pieces"]]
    except (ValueError, KeyError, TypeError) as error:
        raise errors.StoreDamaged("a list of pieces in the store is not what was written") from error


def whole(folder: Path, digest: str) -> bool:
    """Whether a kept file and all of its pieces are there; their content is not looked at."""
    try:
        path = blobs.find(folder, digest)
        with path.open("rb") as file:
            pieces = listed(path.read_bytes()) if file.read(len(MARK)) == MARK else None
        return all(blobs.find(folder, piece).stat().st_size == length for piece, length in pieces or ())
    except errors.StoreDamaged:
        return False


class Reader(io.RawIOBase):
    """A kept file, read piece by piece: each piece is compared with its hash when it is read. Holds one piece at a time.

    Raises errors.StoreDamaged where a piece is missing or not what was written.
    """

    def __init__(self, folder: Path, pieces: list[tuple[str, int]]) -> None:
        super().__init__()
        self._folder, self._pieces = folder, pieces
        self._starts = [0]
        for _, length in pieces:
            self._starts.append(self._starts[-1] + length)
        self._at = 0
        self._held: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + (0, self._at, self._starts[-1])[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer).cast("B")
        number = bisect.bisect_right(self._starts, self._at) - 1
        if number >= len(self._pieces) or not len(target):
            return 0
        inside = self._at - self._starts[number]
        part = memoryview(self._piece(number))[inside : inside + len(target)]
        target[: len(part)] = part
        self._at += len(part)
        return len(part)

    def read(self, size: int | None = -1) -> bytes:
        """As many bytes as there are, up to ``size``: pyarrow takes fewer for the end of the file."""
        left = self._starts[-1] - self._at
        found = bytearray(max(0, left if size is None or size < 0 else min(size, left)))
        done = 0
        while done < len(found) and (got := self.readinto(memoryview(found)[done:])):
            done += got
        return bytes(found[:done])

    def _piece(self, number: int) -> bytes:
        if self._held[0] != number:
            digest, length = self._pieces[number]
            content = blobs.read(self._folder, digest)
            if len(content) != length:
                raise errors.StoreDamaged(f"the file {digest[:12]} of the store is not what was written")
            self._held = (number, content)
        return self._held[1]


def opened(folder: Path, digest: str) -> Any:
    """What was kept under ``digest``, as a file to read. Raises errors.StoreDamaged, at once or when it is read."""
    content = blobs.read(folder, digest)
    pieces = listed(content)
    return io.BytesIO(content) if pieces is None else Reader(folder, pieces)
