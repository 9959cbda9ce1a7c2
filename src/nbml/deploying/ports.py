"""The loopback socket that a deployment listens on."""

from __future__ import annotations

import contextlib
import errno
import socket
from pathlib import Path

from nbml import errors
from nbml.deploying import state
from nbml.store.small import read_json

LOOPBACK = "127.0.0.1"
#: connections that may wait while a worker is replaced
BACKLOG = 2048


def listen(where: Path, port: int) -> socket.socket:
    """A listening socket on ``port``; with 0 on the deployment's last port if that is free, else on any.

    Raises errors.PortInUse saying who has the port.
    """
    if port:
        try:
            return _bound(port)
        except OSError as error:
            raise _refused(where, port, error) from error
    last = read_json(where / state.STATE).get("port")
    for candidate in ([last] if isinstance(last, int) and 0 < last < 65536 else []) + [0]:
        with contextlib.suppress(OSError):
            return _bound(candidate)
    raise errors.PortInUse("no port is free on this machine", next="%nbml deployments")


def _bound(port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((LOOPBACK, port))
        found.listen(BACKLOG)
    except OSError:
        found.close()
        raise
    return found


def _refused(where: Path, port: int, error: OSError) -> errors.PortInUse:
    if error.errno == errno.EACCES:
        return errors.PortInUse(f"port {port} is not for this user (deploy.port in nbml.toml); ports from 1024 on are")
    return errors.PortInUse(f"port {port} (deploy.port in nbml.toml) is in use by {_user(where, port)}")


def _user(where: Path, port: int) -> str:
    """Who listens on a port: a deployment by name, else a process."""
    for folder in sorted(where.parent.iterdir()):
        other = state.status(folder)
        if folder != where and other is not None and other.live and other.port == port:
            return f"the deployment {folder.name}"
    with contextlib.suppress(OSError, ValueError, IndexError):
        inode = _inode(port)
        for process in (path for path in Path("/proc").iterdir() if path.name.isdigit()):
            with contextlib.suppress(OSError):
                if any(str(file.readlink()) == f"socket:[{inode}]" for file in (process / "fd").iterdir()):
                    return f"process {process.name} ({(process / 'comm').read_text().strip()})"
    return "another process"


def _inode(port: int) -> str:
    """The inode of the socket that listens on ``port``."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
            return fields[9]
    raise ValueError
