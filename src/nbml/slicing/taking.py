"""What statements read from files is taken when it is hashed, so that a change right after loses nothing; the store gets it later.

Where the project has no store yet the last HELD bytes stay in memory.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading

from nbml import errors
from nbml.slicing.places import AT_ONCE, file_hash

#: bytes that are held, and bytes of a file up to which a copy is kept
HELD, LARGEST = 64 << 20, 50 << 20

#: SHA-256 -> content, oldest first
_held: dict[str, bytes] = {}
#: SHA-256 -> path of what is copied from where it lies
_there: dict[str, str] = {}
_lock = threading.Lock()
#: threads of ours, which no statement is to be charged with
own: set[int] = set()


def take(path: str) -> bytes | None:
    """The SHA-256 of a file, of which a copy will be kept; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - on the cell's path
        if not stat.S_ISREG(found.st_mode):
            return None
        if found.st_size > AT_ONCE:
            digest = file_hash(path)
            if digest is not None and found.st_size <= LARGEST:
                _put(_there, digest.hex(), path)
            return digest
        with open(path, "rb") as file:  # noqa: PTH123
            content = file.read()
    except (OSError, ValueError):
        return None
    digest = hashlib.sha256(content).digest()
    _put(_held, digest.hex(), content)
    return digest


def _put(where: dict[str, bytes] | dict[str, str], digest: str, what: bytes | str) -> None:
    """Hold something, and start to hand it over where there is a store."""
    from nbml.store import existing

    with _lock:
        where[digest] = what  # type: ignore[assignment]
        while sum(map(len, _held.values())) > HELD:
            del _held[next(iter(_held))]
    if existing() is not None:
        threading.Thread(target=hand_over, name="nbml-keep", daemon=True).start()


def hand_over() -> None:
    """Give the store what is held."""
    own.add(threading.get_ident())
    for digest in [*_held, *_there]:
        handed(digest)
    own.discard(threading.get_ident())


def handed(digest: str, *, make: bool = False) -> bool:
    """Give the store what bears a hash, where it is held. ``make`` makes the store where there is none."""
    from nbml.store import current, existing

    store = existing()
    content, path = _held.get(digest), _there.get(digest)
    if store is None and make and content is not None:
        store = current()
    if store is None or store.readonly or (content is None and path is None):
        return False
    try:
        if content is None and path is not None:
            found = file_hash(path)
            if found is None or found.hex() != digest:
                return False
            with open(path, "rb") as file:  # noqa: PTH123
                content = file.read()
        kept = store.put_blob(content or b"")
    except (OSError, errors.StoreError):
        return False
    with _lock:
        _held.pop(digest, None)
        _there.pop(digest, None)
    return kept == digest
