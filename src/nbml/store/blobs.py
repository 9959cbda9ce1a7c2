"""Files named by the SHA-256 of their content. A name never comes from outside, so it cannot lead anywhere else."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

from nbml import errors

HASH = re.compile(r"[0-9a-f]{64}")


def put(folder: Path, content: bytes | Path) -> str:
    """Write once, whole: a temporary file, synced, then renamed."""
    digest = _hash(content)
    path = _path(folder, digest)
    if path.exists():
        return digest
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
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
    return digest


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


def _hash(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
