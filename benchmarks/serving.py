"""What a request costs: nbml's service, BentoML's documented one, FastAPI with ONNX Runtime. Ratios of one run on one machine.

    uv venv .serving-peers && uv pip install --python .serving-peers/bin/python -r benchmarks/requirements-serving.txt
    python benchmarks/serving.py --peers .serving-peers/bin/python [--rounds 7] [--seconds 1.0]

One row of 30 features (breast cancer) as JSON to services of one worker on loopback. Cost is the server's CPU per request, by
/proc/PID/task/*/schedstat of all its processes and threads (Linux), in slices that go round the services. Answers are compared first.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONNECTIONS = 16

DOCUMENTED = """
import bentoml, joblib, numpy as np

@bentoml.service(workers=1)
class Model:
    def __init__(self) -> None:
        self.model = joblib.load({path!r})

    @bentoml.api
    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.model.predict(x)
"""

FASTAPI = """
import os
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # else it tells its maker what it does, from its import on
import joblib, numpy as np, onnxruntime as ort
import skl2onnx.common._container as container
from fastapi import FastAPI
from pydantic import BaseModel
from skl2onnx import to_onnx

real = container.make_node

def make_node(*args, **kwargs):  # skl2onnx 1.20 gives onnx 1.23 booleans where it takes whole numbers only
    whole = (bool, np.bool_, np.integer)
    for name, value in kwargs.items():
        if isinstance(value, (list, tuple, np.ndarray)) and len(value) and all(isinstance(one, whole) for one in value):
            kwargs[name] = [int(one) for one in value]
    return real(*args, **kwargs)

container.make_node = make_node
model = joblib.load({path!r})
made = to_onnx(model, np.zeros((1, 30), np.float32), options={{"zipmap": False}})
options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
app = FastAPI()

class Row(BaseModel):
    x: list[float]

@app.post("/predict")
async def predict(row: Row):
    label, shares = session.run(None, {{"X": np.array([row.x], dtype=np.float32)}})
    return {{"prediction": int(label[0]), "probabilities": shares[0].tolist()}}
"""


@dataclass
class Served:
    """A server that runs, what it is asked, and what was measured of it."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    body: bytes
    path: str = "/predict"
    cpu: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    @property
    def request(self) -> bytes:
        head = f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(self.body)}\r\n\r\n"
        return head.encode() + self.body

    def nanoseconds(self) -> int:
        """CPU of the process and its descendants."""
        return sum(int(p.read_text().split()[0]) for pid in family(self.process.pid) for p in Path(f"/proc/{pid}/task").glob("*/schedstat"))

    def ask(self) -> Any:
        url = f"http://127.0.0.1:{self.port}{self.path}"
        with urllib.request.urlopen(urllib.request.Request(url, self.body, {"Content-Type": "application/json"}), timeout=20) as reply:
            return json.load(reply)


def family(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        for path in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for child in path.read_text().split()]
    return found


def load(port: int, request: bytes, seconds: float, connections: int = CONNECTIONS) -> int:
    """Answers within ``seconds``, each connection asking again as soon as it has one."""
    poll = selectors.DefaultSelector()
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    for one in sockets:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(one, selectors.EVENT_READ)
        one.sendall(request)
    done, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        for key, _ in poll.select(1.0):
            if whole(key.fileobj):  # type: ignore[arg-type]
                done += 1
                key.fileobj.sendall(request)  # type: ignore[union-attr]
    for one in sockets:
        one.close()
    return done


def whole(one: socket.socket) -> bool:
    answer = one.recv(65536)
    while b"\r\n\r\n" not in answer:
        answer += one.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), answer
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += one.recv(65536)
    return True


def worst(served: Served, count: int = 3000) -> tuple[float, float]:
    """Milliseconds of the median and of the slowest of ``count`` requests over one connection, after 500."""
    with socket.create_connection(("127.0.0.1", served.port)) as one:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        took = []
        for _ in range(count + 500):
            began = time.perf_counter()
            one.sendall(served.request)
            whole(one)
            took.append((time.perf_counter() - began) * 1e3)
    return statistics.median(took[500:]), max(took[500:])


# -- servers --------------------------------------------------------------------------------------------------


class Servers:
    """Starts them, waits for them, ends them."""

    def __init__(self, home: Path, peers: str) -> None:
        self.home, self.peers, self.started = home, peers, []  # type: Path, str, list[subprocess.Popen[bytes]]
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "NBML_", "BENTOML_"))}
        self.env |= {"BENTOML_DO_NOT_TRACK": "True", "OMP_NUM_THREADS": "1", "BENTOML_HOME": str(home / "bentoml")}

    def start(self, name: str, command: list[str], port: int, body: Any, fds: tuple[int, ...] = (), **env: str) -> Served:
        log = (self.home / f"{name.replace(' ', '-')}.log").open("w")
        process = subprocess.Popen(
            command, env=self.env | env, cwd=self.home, stdout=log, stderr=log, pass_fds=fds, start_new_session=True
        )
        self.started.append(process)
        served = Served(name, process, port, json.dumps(body).encode())
        for _ in range(600):
            assert process.poll() is None, Path(log.name).read_text()[-3000:]
            try:
                served.ask()
                return served
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"{name} does not answer: {Path(log.name).read_text()[-3000:]}")

    def worker(self, name: str, bento: Path, body: Any, *, logged: bool = False) -> Served:
        """As a deployment starts it: BentoML's worker on a socket that is open already."""
        listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        fds, env = [listening.fileno()], {}
        if logged:
            read, write = os.pipe()
            folder = self.home / ".nbml" / "deployments" / "logged"
            folder.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-m", "nbml.deploying.logwriter", str(folder), str(read), repr(time.time())]
            self.started.append(subprocess.Popen(command, pass_fds=(read,), start_new_session=True))
            os.close(read)
            fds.append(write)
            env = {"NBML_TRAFFIC_FD": str(write)}
        command = [sys.executable, "-m", "_bentoml_impl.worker.service", str(bento), "--fd", str(fds[0]), "--worker-id", "1"]
        return self.start(name, command, listening.getsockname()[1], body, tuple(fds), **env)

    def bentoml(self, name: str, what: str, body: Any, python: str = sys.executable) -> Served:
        port = free()
        command = [python, "-m", "bentoml", "serve", what, "--host", "127.0.0.1", "--port", str(port)]
        return self.start(name, command, port, body)

    def documented(self, name: str, model: Path, body: Any) -> Served:
        module = self.home / f"documented_{model.stem}.py"
        module.write_text(DOCUMENTED.format(path=str(model)))
        return self.bentoml(name, f"{module.stem}:Model", body, self.peers)

    def fastapi(self, name: str, model: Path, body: Any) -> Served:
        module = self.home / f"fastapi_{model.stem}.py"
        module.write_text(FASTAPI.format(path=str(model)))
        port = free()
        command = [self.peers, "-m", "uvicorn", f"{module.stem}:app", "--port", str(port), "--no-access-log"]
        return self.start(name, command, port, body)

    def end(self) -> None:
        for process in reversed(self.started):
            try:
                os.killpg(process.pid, signal.SIGTERM)
            except ProcessLookupError:
                continue
        for process in self.started:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


# -- the run --------------------------------------------------------------------------------------------------


def models() -> dict[str, Any]:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    return {
        "LogisticRegression": LogisticRegression(max_iter=10_000),
        "HistGradientBoosting(100)": HistGradientBoostingClassifier(max_iter=100),
    }


def packaged(home: Path, model: Any, frame: Any, name: str, suite: str | None = None) -> Path:
    import nbml

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if suite is not None:
            nbml.expect(name, suite, on=frame)
        version = nbml.package(model, name=name, on=frame, suite=name if suite else None)
    print(f"  {version}: execution {version.manifest.get('execution', {}).get('kind')}", file=sys.stderr)
    return Path(version.path)


def compare(all_of_them: list[Served], model: Any, row: Any) -> None:
    """Every server gives the model's label, and those that give probabilities the model's (ONNX: in single precision)."""
    label, shares = model.predict(row).tolist()[0], model.predict_proba(row)[0]
    for served in all_of_them:
        answer = served.ask()
        if isinstance(answer, list):
            assert answer == [label], (served.name, answer)
        elif "predictions" in answer:
            assert answer["predictions"] == [label]
            assert abs(answer["probabilities"]["values"][0] - shares).max() < 1e-9
        else:
            assert answer["prediction"] == label
            assert abs(answer["probabilities"] - shares).max() < 1e-4, (served.name, answer, shares)


def measure(all_of_them: list[Served], rounds: int, seconds: float) -> None:
    for served in all_of_them:
        load(served.port, served.request, seconds)
    for _ in range(rounds):
        for served in all_of_them:
            before, began = served.nanoseconds(), time.perf_counter()
            count = load(served.port, served.request, seconds)
            served.cpu.append((served.nanoseconds() - before) / count / 1e3)
            served.rates.append(count / (time.perf_counter() - began))


def table(title: str, all_of_them: list[Served], peers: dict[str, Served]) -> None:
    print(f"\n**{title}**\n")
    print("| service | CPU us/request, median | min | requests/s | " + " | ".join(f"x {name}" for name in peers) + " |")
    print("| --- | ---: | ---: | ---: |" + " ---: |" * len(peers))
    for served in all_of_them:
        mine = statistics.median(served.cpu)
        ratios = " | ".join(f"{statistics.median(peer.cpu) / mine:.1f}" for peer in peers.values())
        print(f"| {served.name} | {mine:.1f} | {min(served.cpu):.1f} | {statistics.median(served.rates):,.0f} | {ratios} |")


def more(ones: list[Served], base: Served, rounds: int = 150, seconds: float = 0.1) -> list[str]:
    """By how much each of ``ones`` costs more than ``base``: quartiles over short slices that go round, as the machine is noisy."""
    ratios: list[list[float]] = [[] for _ in ones]
    for _ in range(rounds):
        before, *cpu, after = [cost(served, seconds) for served in (base, *ones, base)]
        for found, one in zip(ratios, cpu, strict=True):
            found.append(200 * one / (before + after) - 100)
    quarters = [statistics.quantiles(found, n=4) for found in ratios]
    return [f"{middle:.1f} % of {rounds} slices, quartiles {low:.1f} and {high:.1f}" for low, middle, high in quarters]


def cost(served: Served, seconds: float) -> float:
    """Microseconds of the server's CPU for a request."""
    before = served.nanoseconds()
    count = load(served.port, served.request, seconds)
    return (served.nanoseconds() - before) / count / 1e3


def run(home: Path, peers: str, rounds: int, seconds: float, only: int | None) -> None:
    import joblib
    from sklearn.datasets import load_breast_cancer

    frame, y = load_breast_cancer(as_frame=True, return_X_y=True)
    row = frame.iloc[[17]]
    own, theirs = {"rows": row.to_dict("records")}, {"x": row.to_numpy().tolist()}
    suite = "\n".join(f'0 <= col("{name}") <= 100000' for name in frame.columns[:10])
    for number, (title, estimator) in enumerate(models().items()):
        if only not in (None, number):
            continue
        model = estimator.fit(frame, y)
        path = home / f"model{number}.joblib"
        joblib.dump(type(estimator)(**estimator.get_params()).fit(frame.to_numpy(), y), path)
        servers = Servers(home, peers)
        try:
            bento = packaged(home, model, frame, f"model{number}")
            found = [servers.worker("nbml", bento, own), servers.bentoml("nbml, plain bentoml serve", str(bento), own)]
            if number == 0:
                checked = packaged(home, model, frame, "checked", suite)
                found.append(servers.worker("nbml, 10 expectations", checked, own))
                found.append(servers.worker("nbml, traffic log", bento, own, logged=True))
            documented = servers.documented("BentoML, np.ndarray as documented", path, theirs)
            fastapi = servers.fastapi("FastAPI + ONNX Runtime", path, {"x": theirs["x"][0]})
            found += [documented, fastapi]
            compare(found, model, row)
            measure(found, rounds, seconds)
            table(f"{title}, {rounds} rounds of {seconds:g} s", found, {"BentoML": documented, "FastAPI": fastapi})
            middle, slowest = worst(found[0])
            print(f"\n3,000 requests over one connection: median {middle:.2f} ms, worst {slowest:.2f} ms.")
            if number == 0:
                checks, log = more(found[2:4], found[0])
                print(f"\nMore CPU for 10 expectations: {checks}. For the traffic log: {log}.")
        finally:
            servers.end()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", required=True, help="the Python of an environment with benchmarks/requirements-serving.txt")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--only", type=int, choices=(0, 1), help="one of the two models")
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        start = Path.cwd()
        os.environ["NBML_PROJECT"] = folder
        os.chdir(folder)
        run(home, str(Path(start, asked.peers)), asked.rounds, asked.seconds, asked.only)


if __name__ == "__main__":
    main()
