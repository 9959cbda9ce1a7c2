"""Who is at work: pid, when it began, which boot. A number alone is no identity, since pids come again."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Process:
    """A row of the process table. ``begun`` is the kernel's own start time of the pid, ``boot`` the boot id."""

    id: int
    kind: str
    name: str
    pid: int
    begun: str
    boot: str
    started: float
    beat: float
    ended: float | None
    body: dict[str, Any]


@functools.cache
def boot_id() -> str:
    """Changes with every start of the machine; "" where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def begun(pid: int) -> str:
    """When ``pid`` began, as the system counts it; "" where it does not run, is a zombie, or the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def runs(pid: int, since: str, boot: str) -> bool:
    """Whether the very process that wrote down ``since`` and ``boot`` still runs."""
    if boot != boot_id():
        return False
    if Path("/proc/self/stat").exists():
        return since != "" and begun(pid) == since
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
