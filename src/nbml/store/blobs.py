"""Files named by the SHA-256 of their content. A name never comes from outside, so it cannot lead anywhere else.

A file that is put where it lies already becomes young again: what is young is never removed (``sweeping``), so nobody
can lose a file between putting it and writing down that it is needed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nbml import errors

HASH = re.compile(r"[0-9a-f]{64}")
PART = ".part-"
#: files that are written side by side: a disk that is told to keep eight takes hardly longer than for one
TOGETHER = 8


def put(folder: Path, content: bytes | Path) -> str:
    """Write once, whole: a temporary file, synced, then renamed."""
    digest = _hash(content)
    _put(folder, digest, content)
    return digest


def put_all(folder: Path, contents: Sequence[memoryview]) -> list[tuple[str, bool]]:
    """Put several; the hash of each, and whether it was new. All are safe on the disk when the call returns."""
    if len(contents) == 1:
        return [_put_view(folder, contents[0])]
    with ThreadPoolExecutor(TOGETHER, "nbml-blobs") as pool:
        return list(pool.map(lambda content: _put_view(folder, content), contents))


def _put_view(folder: Path, content: memoryview) -> tuple[str, bool]:
    digest = _hash(content)
    return digest, _put(folder, digest, content)


def _put(folder: Path, digest: str, content: bytes | memoryview | Path) -> bool:
    path = _path(folder, digest)
    if _again(folder, path):
        return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=PART)
    try:
        with os.fdopen(handle, "wb") as part:
            if isinstance(content, Path):
                with content.open("rb") as source:
                    while block := source.read(1 << 20):
                        part.write(block)
            else:
                part.write(content)
            part.flush()
            os.fsync(part.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return True


def _again(folder: Path, path: Path) -> bool:
    """Whether the file is there; it is young now."""
    if not path.exists():
        return False
    with locked(folder, shared=True):
        try:
            os.utime(path)
        except FileNotFoundError:
            return False
        except PermissionError:  # another user's, who may read it and no more
            return True
    return True


@contextlib.contextmanager
def locked(folder: Path, *, shared: bool) -> Iterator[None]:
    """Hold the lock of the files: shared while one becomes young, alone while old ones are removed.

    Where the file system has no locks, age alone protects.
    """
    try:
        import fcntl
    except ImportError:  # no such locks on this system
        yield
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / ".lock").open("ab") as lock:
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


def find(folder: Path, digest: str) -> Path:
    """The file of a hash. Raises errors.StoreDamaged where it is missing."""
    path = _path(folder, digest)
    if not path.is_file():
        raise errors.StoreDamaged(f"the file {digest[:12]} is missing from the store: put it back from a copy of .nbml/blobs")
    return path


def read(folder: Path, digest: str) -> bytes:
    """A file's bytes. Raises errors.StoreDamaged where they do not bear their hash."""
    content = find(folder, digest).read_bytes()
    if _hash(content) != digest:
        raise errors.StoreDamaged(f"the file {digest[:12]} of the store is not what was written")
    return content


def _path(folder: Path, digest: str) -> Path:
    if not HASH.fullmatch(digest):
        raise errors.StoreDamaged(f"{digest[:20]!r} is no hash of a file")
    return folder / digest[:2] / digest[2:]


def _hash(content: bytes | memoryview | Path) -> str:
    if not isinstance(content, Path):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
