"""``python template.py BENTO SOCKET GO SAY``: everything a worker loads, loaded once; workers are forked from it.

Importing pandas, scikit-learn and BentoML takes seconds, and a worker that was killed is to be back at once. So this
process loads the Bento, writes "prepared" to SAY, and for each byte of GO runs BentoML's own worker program on SOCKET in
a forked child, saying "worker PID" and "ended CODE". Where what was loaded has started threads (which a fork would
lose), or forks are unsafe as on macOS, it becomes the worker itself, once.

Run by its path: it imports nothing of nbml, as nothing in a service does. Linux and macOS.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import signal
import sys
from pathlib import Path

#: seconds that requests in flight are given when a worker is stopped
GRACE = 5
PR_SET_PDEATHSIG = 1
#: threads that look after themselves in a fork: that of pyarrow's allocator, which pandas loads
REBORN = ("jemalloc_bg_thd",)


def prepare(bento: str) -> None:
    """Load what the worker will load: BentoML, the service, and the module of the model."""
    import _bentoml_impl.worker.service  # noqa: F401
    import uvicorn  # noqa: F401
    from _bentoml_impl.loader import load
    from bentoml._internal.log import configure_server_logging

    configure_server_logging()
    load(bento, standalone_load=True)
    manifest = Path(bento) / "src" / "manifest.json"
    if manifest.is_file():
        bridge = importlib.import_module("bridge")  # it compares the files' hashes before it loads any
        load_model = getattr(bridge, "serving", bridge.load)  # a Bento of an earlier version has but the module
        load_model(json.loads(manifest.read_text(encoding="utf-8")))
    gc.collect()
    gc.freeze()


def work(bento: str, socket: str) -> None:
    """BentoML's worker program; it ends with SystemExit."""
    from _bentoml_impl.worker.service import main

    main([bento, "--fd", socket, "--worker-id", "1", "--timeout-graceful-shutdown", str(GRACE)])


def alone() -> bool:
    """Whether a fork has all of this process: it has no thread but this one, and such as start again after a fork."""
    try:
        names = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
    except OSError:
        return False
    return sys.platform == "linux" and len([name for name in names if name not in REBORN]) == 1


def fork(bento: str, socket: str, go: int, say: int) -> int:
    """A worker in a child, which dies with this process."""
    parent, libc = os.getpid(), ctypes.CDLL(None)
    child = os.fork()
    if child:
        return child
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    os.close(go)
    os.close(say)
    work(bento, socket)
    raise SystemExit(0)


def main(bento: str, socket: str, go: int, say: int) -> None:
    """Until GO ends."""
    prepare(bento)
    os.write(say, b"prepared\n")
    while os.read(go, 1):
        if not alone():
            os.write(say, b"worker %d\n" % os.getpid())
            work(bento, socket)
            return
        child = fork(bento, socket, go, say)
        os.write(say, b"worker %d\n" % child)
        _, status = os.waitpid(child, 0)
        os.write(say, b"ended %d\n" % os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
