"""What a tracker that is down costs a cell: opening and closing a tracked block while wandb, MLflow and Comet meet a fault.

    python benchmarks/mirrors.py [RUNS] [--peers]

Each fault is a server on loopback. Blocks with the three trackers take turns with blocks that have none, in one process with
a sender beside it; the table has the time of the block itself (opening, one log, closing) in ms, and what the trackers added.
With ``--peers``, wandb.init and mlflow.start_run meet the same servers, each in a process that may take two minutes.
"""

from __future__ import annotations

import contextlib
import os
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from statistics import quantiles

FAULTS = ("offline", "refused", "500", "429", "silent", "1 byte a second")
PEERS = {
    "wandb": "import wandb; run = wandb.init(); run.log({'x': 1}); run.finish()",
    "mlflow": "import mlflow\nwith mlflow.start_run(): mlflow.log_metric('x', 1)",
}
#: seconds that a peer may take
LONGEST = 120


@contextlib.contextmanager
def faulty(fault: str) -> Iterator[str]:
    """The address of a server with that fault; "" for none."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            if fault == "silent":
                over.wait()
            elif fault == "1 byte a second":
                for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}":
                    self.request.sendall(bytes([byte]))
                    if over.wait(1):
                        return
            else:
                self.request.sendall(f"HTTP/1.1 {fault} X\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode())

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            """A client that ends early is no error here."""

    if fault == "offline":
        yield ""
        return
    over = threading.Event()
    if fault == "refused":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        yield f"http://127.0.0.1:{port}"
        return
    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        over.set()
        server.shutdown()


def environment(url: str) -> dict[str, str]:
    """The variables that send the three trackers to a server."""
    if not url:
        return {}
    return {
        "WANDB_BASE_URL": url, "WANDB_API_KEY": "f" * 40, "MLFLOW_TRACKING_URI": url, "COMET_URL_OVERRIDE": f"{url}/clientlib/",
        "COMET_API_KEY": "k" * 25,
    }  # fmt: skip


def block(name: str, to: tuple[str, ...]) -> float:
    """Milliseconds of one tracked block."""
    import nbml

    begun = time.perf_counter()
    with nbml.track(name, to=to):
        nbml.log(x=1.0)
    return 1000 * (time.perf_counter() - begun)


def measure(fault: str, count: int) -> tuple[list[float], list[float]]:
    """With trackers, and without."""
    from nbml import store
    from nbml.store import outbox
    from nbml.tracking import after

    with tempfile.TemporaryDirectory() as folder, faulty(fault) as url:
        os.environ.update(environment(url) | {"NBML_PROJECT": folder, "NBML_SENDER_IDLE": "1"})
        store.use(None)
        block("warm", ())
        pairs = [(block("with", ("wandb", "mlflow", "comet")), block("without", ())) for _ in range(count)]
        after.wait()
        holder = store.current().holder(outbox.OFFICE)
        if holder is not None:
            os.kill(holder.pid, 9)
        store.use(None)
        for name in environment("x"):
            os.environ.pop(name, None)
    return [one for one, _ in pairs], [other for _, other in pairs]


def peer(name: str, fault: str) -> str:
    """Seconds that the tool itself takes in a process of its own."""
    with tempfile.TemporaryDirectory() as folder, faulty(fault) as url:
        env = os.environ | (environment(url) or {"WANDB_MODE": "offline"})
        command, quiet, begun = [sys.executable, "-c", PEERS[name]], subprocess.DEVNULL, time.perf_counter()
        try:
            subprocess.run(command, cwd=folder, env=env, stdout=quiet, stderr=quiet, timeout=LONGEST, check=False)
        except subprocess.TimeoutExpired:
            return f"> {LONGEST} s"
        return f"{time.perf_counter() - begun:.1f} s"


def main(arguments: list[str]) -> None:
    count = next((int(one) for one in arguments if one.isdigit()), 150)
    peers = list(PEERS) if "--peers" in arguments else []
    print(f"{count} blocks each\n")
    heads = ("with: p50", "p99", "max", "without: p50", "p99", "max", "added: p50", "p99", *(f"{name} itself" for name in peers))
    print(f"| fault | {' | '.join(heads)} |\n| --- |" + " ---: |" * len(heads))
    for fault in FAULTS:
        told = []
        mirrored, plain = measure(fault, count)
        for found in (mirrored, plain):
            cuts = quantiles(found, n=100, method="inclusive")
            told += [cuts[49], cuts[98], max(found)]
        added = [told[0] - told[3], told[1] - told[4]]
        said = " | ".join(f"{one:.1f}" for one in [*told, *added])
        print(f"| {fault} | {said} |" + "".join(f" {peer(name, fault)} |" for name in peers), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
