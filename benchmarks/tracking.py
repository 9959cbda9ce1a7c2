"""What tracking costs: nbml, W&B offline, MLflow on SQLite, Comet offline, trackio. Ratios of one run on one machine.

    uv venv .tracking-peers && uv pip install --python .tracking-peers/bin/python -r benchmarks/requirements-tracking.txt
    python benchmarks/tracking.py --peers .tracking-peers/bin/python [--rounds 3] [--calls 3000] [--runs 10000] [--kills 200]

Each tool logs three numbers a call, with a step, 1,000 calls a second, in a process of its own. What it recorded is read back from
its files and compared first. MLflow cannot do 1,000 calls a second; its calls are timed all the same. Then what only nbml promises:
a burst, the listing of many runs, a long curve, what watching costs a fit, and kills.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

#: the part that is the same for all tools: argv is calls, rate (0: as fast as it goes), folder
DRIVER = """
import json, os, sys, time
calls, rate, folder = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
os.chdir(folder)
values = lambda step: {{"loss": 1 / (step + 1), "valid_loss": 2 / (step + 1), "accuracy": step / calls}}
clock = time.perf_counter
t = clock()
{imports}
importing = clock() - t
opening, closing, took = [], [], []
for again in range({opens}):
    t = clock()
    {open}
    opening.append(clock() - t)
    t = clock()
    {close}
    closing.append(clock() - t)
t = clock()
{open}
opening.append(clock() - t)
begun = clock()
for step in range(calls):
    given = values(step)
    if rate:
        while clock() < begun + step / rate:
            time.sleep(0.0002)
    t = clock()
    {log}
    took.append(clock() - t)
t = clock()
{close}
closing.append(clock() - t)
{read}
print("RESULT" + json.dumps({{"import": importing, "open": opening, "close": closing, "log": took, "rows": rows}}))
os._exit(0)
"""

NBML = {
    "imports": "import nbml\nwith nbml.track('warm'): nbml.log(x=1)",
    "open": "run = nbml.track('bench').__enter__()",
    "close": "run.__exit__(None, None, None)",
    "log": "nbml.log(given, step=step)",
    "read": """
frames = {name: nbml.run('bench').history(name) for name in values(0)}
rows = [[step, {name: float(frame['value'].iloc[step]) for name, frame in frames.items()}] for step in range(calls)]
""",
    "opens": 30,
}
WANDB = {
    "imports": "import wandb",
    "open": "run = wandb.init(mode='offline', project='bench')",
    "close": "run.finish()",
    "log": "run.log(given, step=step)",
    "read": """
import glob, struct, zlib
from wandb.proto import wandb_internal_pb2 as pb
def records(path):
    data, pos, buf = open(path, 'rb').read(), 7, b''
    while pos + 7 <= len(data):
        left = 32768 - pos % 32768
        if left < 7:
            pos += left
            continue
        crc, n, kind = struct.unpack('<IHB', data[pos:pos + 7])
        body = data[pos + 7:pos + 7 + n]
        if kind == 0 or len(body) < n:
            pos, buf = pos + left, b''
            continue
        pos, buf = pos + 7 + n, body if kind in (1, 2) else buf + body
        if kind in (1, 4):
            record = pb.Record()
            record.ParseFromString(buf)
            yield record
last = max(glob.glob('wandb/offline-run-*/run-*.wandb'), key=os.path.getmtime)
rows = []
for r in records(last):
    if r.WhichOneof('record_type') == 'history':
        row = {i.key or '.'.join(i.nested_key): json.loads(i.value_json) for i in r.history.item}
        rows.append([row['_step'], {k: v for k, v in row.items() if not k.startswith('_')}])
""",
    "opens": 3,
}
MLFLOW = {
    "imports": "import mlflow\nmlflow.set_tracking_uri('sqlite:///bench.db')\nmlflow.set_experiment('bench')",
    "open": "mlflow.start_run()",
    "close": "mlflow.end_run()",
    "log": "mlflow.log_metrics(given, step=step)",
    "read": """
import sqlite3
found = {}
db = sqlite3.connect('bench.db')
last = db.execute('SELECT run_uuid FROM metrics LIMIT 1').fetchone()[0]
for step, key, value in db.execute('SELECT step, key, value FROM metrics WHERE run_uuid=? ORDER BY step', (last,)):
    found.setdefault(step, {})[key] = value
rows = [[step, row] for step, row in found.items()]
""",
    "opens": 3,
}
COMET = {
    "imports": "import comet_ml",
    "open": "run = comet_ml.OfflineExperiment(project_name='bench', workspace='w', offline_directory='comet', display_summary_level=0)",
    "close": "run.end()",
    "log": "run.log_metrics(given, step=step)",
    "read": """
import glob, zipfile
found = {}
with zipfile.ZipFile(max(glob.glob('comet/*.zip'), key=os.path.getmtime)) as archive:
    for line in archive.read('messages.json').splitlines():
        said = json.loads(line)
        payload = said.get('payload', said)
        metric = payload.get('metric') if isinstance(payload.get('metric'), dict) else payload
        if metric.get('metricName') in values(0):
            found.setdefault(metric['step'], {})[metric['metricName']] = float(metric['metricValue'])
rows = [[step, found[step]] for step in sorted(found)]
""",
    "opens": 2,
}
TRACKIO = {
    "imports": "import trackio",
    "open": "run = trackio.init(project='bench', name='r' + str(len(opening)), embed=False)",
    "close": "trackio.finish()",
    "log": "trackio.log(given, step=step)",
    "read": """
import glob, sqlite3
db = sqlite3.connect(glob.glob(os.environ['TRACKIO_DIR'] + '/bench*.db')[0])
name = 'r' + str(len(opening) - 1)
rows = [[s, {k: v for k, v in json.loads(m).items() if k in values(0)}]
        for s, m in db.execute('SELECT step, metrics FROM metrics WHERE run_name=? ORDER BY step', (name,))]
""",
    "opens": 3,
}
TOOLS = {"nbml": NBML, "W&B offline": WANDB, "MLflow, SQLite": MLFLOW, "Comet offline": COMET, "trackio": TRACKIO}
#: calls that MLflow is given time for, a second of its own each few hundred
SLOW = 300


def play(python: str, tool: str, calls: int, rate: float, home: Path) -> dict[str, Any]:
    """One process of one tool."""
    folder = Path(tempfile.mkdtemp(dir=home))
    env = {
        **os.environ, "NBML_PROJECT": str(folder), "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "1", "TRACKIO_DIR": str(folder / "trackio"), "COMET_LOGGING_CONSOLE": "ERROR", "HF_HUB_OFFLINE": "1",
        "GRADIO_ANALYTICS_ENABLED": "False",
    }  # fmt: skip
    code = DRIVER.format(**TOOLS[tool])
    done = subprocess.run([python, "-c", code, str(calls), str(rate), str(folder)], capture_output=True, text=True, env=env, check=False)
    line = next((line for line in done.stdout.splitlines() if line.startswith("RESULT")), None)
    if line is None:
        raise SystemExit(f"{tool} did not answer: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(line.removeprefix("RESULT"))
    expected = [[s, {"loss": 1 / (s + 1), "valid_loss": 2 / (s + 1), "accuracy": s / calls}] for s in range(calls)]
    wrong = [row for row in found["rows"] if row != expected[row[0]]]
    if wrong:
        raise SystemExit(f"{tool} recorded other values: {wrong[:2]}")
    if len(found["rows"]) < calls:
        print(f"{tool}: {len(found['rows']):,} of {calls:,} rows could be read back")
    return found


def at(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def peers(python: str, rounds: int, calls: int, home: Path) -> None:
    """The table against the others."""
    kept: dict[str, list[dict[str, Any]]] = {tool: [] for tool in TOOLS}
    for _ in range(rounds):
        for tool, found in kept.items():
            few = SLOW if tool.startswith("MLflow") else calls
            found.append(play(sys.executable if tool == "nbml" else python, tool, few, 1000.0, home))
    print(f"\n**{calls:,} calls of three numbers, 1,000 a second (MLflow: {SLOW}); all opened and closed again; {rounds} rounds**\n")
    print("| tool | import ms | open + close ms, p50 | p99 | log us, p50 | p99 | max ms | x nbml, p50 | p99 |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    own = [t for found in kept["nbml"] for t in found["log"]]
    for tool, found in kept.items():
        logs = [t for one in found for t in one["log"]]
        both = [a + b for one in found for a, b in zip(one["open"][:-1], one["close"][:-1], strict=True)]
        print(
            f"| {tool} | {1e3 * statistics.median(one['import'] for one in found):,.0f}"
            f" | {1e3 * at(both, 0.5):,.1f} | {1e3 * at(both, 0.99):,.1f}"
            f" | {1e6 * at(logs, 0.5):,.1f} | {1e6 * at(logs, 0.99):,.1f} | {1e3 * max(logs):,.2f}"
            f" | {at(logs, 0.5) / at(own, 0.5):,.0f} | {at(logs, 0.99) / at(own, 0.99):,.0f} |"
        )


BURST = """
import time, nbml
clock, worst = time.perf_counter, []
with nbml.track("burst"):
    for i in range(300_000):
        t = clock()
        nbml.log(loss=i)
        worst.append(clock() - t)
worst.sort()
assert len(nbml.run("burst").history("loss")) == 300_000
print(1e6 * worst[150_000], 1e3 * worst[-1])
"""


def burst(home: Path) -> None:
    """300,000 calls without a pause."""
    done = subprocess.run([sys.executable, "-c", BURST], capture_output=True, text=True, check=True, env=_env(home))
    middle, most = map(float, done.stdout.split())
    print(f"\nA burst of 300,000 calls: p50 {middle:.2f} us, the slowest {most:.1f} ms; all points are there.")


def _env(home: Path) -> dict[str, str]:
    return {**os.environ, "NBML_PROJECT": str(tempfile.mkdtemp(dir=home))}


def filled(count: int, home: Path) -> None:
    """Make this process's project one of ``count`` runs of 20 parameters and 10 metrics, as the record has them."""
    from nbml import store
    from nbml.store import runs

    os.environ["NBML_PROJECT"] = str(tempfile.mkdtemp(dir=home))
    store.use(None)
    box, draw = store.current(), random.Random(0)
    me = box.me().id

    def fill(db: Any) -> None:
        for number in range(count):
            body: dict[str, Any] = {"uid": f"{number:010x}", "cell": {"source": "x" * 400}}
            body["environment"] = {"packages": {f"p{i}": "1.0" for i in range(20)}}
            thing = runs.begin(db, f"model-{number % 40}", f"{number:010x}", me, body, ["a"])
            series = runs.Points(thing.id)
            series.write(db, [(time.time(), 0, {f"metric_{i}": draw.random() for i in range(10)})], final=True)
            runs.finish(db, thing.id, "finished", {f"param_{i}": draw.choice([1, 0.5, "auto", None]) for i in range(20)})
            row = {"state": "well", "figure": "metric_0 0.5"}
            runs.put_in(db, thing.id, {"findings": [], "seconds": 1.5, "changed": ["param_1"], "row": row})

    box.write(fill)


def timed(what: Any, rounds: int = 7) -> tuple[float, Any]:
    """Median seconds, after one call that is not counted."""
    result = what()
    took = []
    for _ in range(rounds):
        t = time.perf_counter()
        result = what()
        took.append(time.perf_counter() - t)
    return statistics.median(took), result


def reading(count: int, home: Path) -> None:
    """Listing runs, and one long curve."""
    import nbml
    from nbml import store
    from nbml.store import runs

    filled(count, home)
    listed, frame = timed(nbml.runs)
    assert frame.shape == (count, 34), frame.shape
    as_json, text = timed(lambda: runs.listing_json(store.current()))
    assert len(json.loads(text)) == count
    print(f"\n{count:,} runs of 20 parameters and 10 metrics: nbml.runs() {listed:.2f} s; as JSON for the panel {1e3 * as_json:.0f} ms.")
    with nbml.track("long") as run:
        for i in range(1_000_000):
            nbml.log(loss=i)
    raw, points = timed(lambda: runs.points(store.current(), run._thing.id, "loss"))
    assert len(points[2]) == 1_000_000
    thin, curve = timed(lambda: runs.bins(store.current(), run._thing.id, "loss", 1000))
    frame_time, history = timed(lambda: run.history("loss"))
    assert len(history) == 1_000_000
    said = f"all points {1e3 * raw:.1f} ms, {len(curve):,} bins for a plot {1e3 * thin:.1f} ms, a DataFrame {1e3 * frame_time:.1f} ms"
    print(f"A curve of 1,000,000 points: {said}.")


def fits() -> None:
    """What watching adds to a fit, in turns with fits that nobody watches."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    import nbml

    x, y = np.random.default_rng(0).normal(size=(200, 10)), np.arange(200) % 2
    made = {"StandardScaler": StandardScaler, "Ridge": Ridge, "two steps": lambda: make_pipeline(StandardScaler(), LogisticRegression())}
    print("\n| fit | alone us | in a run us | added us |\n| --- | ---: | ---: | ---: |")
    for name, make in made.items():
        alone, tracked = [], []
        for _ in range(10):
            alone += [_fit(make, x, y) for _ in range(30)]
            with nbml.track("fits"):
                tracked += [_fit(make, x, y) for _ in range(30)]
        one, two = 1e6 * statistics.median(alone), 1e6 * statistics.median(tracked)
        print(f"| {name} | {one:.0f} | {two:.0f} | {two - one:.0f} |")


def _fit(make: Any, x: Any, y: Any) -> float:
    model = make()
    t = time.perf_counter()
    model.fit(x, y)
    return time.perf_counter() - t


CHILD = """
import sys, time, nbml
nbml.track("killed").__enter__()
i = 0
while True:
    nbml.log(loss=i)
    sys.stdout.buffer.write(b"%d %.6f\\n" % (i, time.monotonic()))
    sys.stdout.buffer.flush()
    i += 1
    time.sleep(0.0005)
"""


def kills(count: int, home: Path) -> None:
    """Kill -9 at any moment: points that were logged 200 ms before are there. The ledger is this process's."""
    from nbml import store
    from nbml.store import runs

    acknowledged = lost = damaged = 0
    for seed in range(count):
        env = _env(home)
        child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, env=env)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(random.Random(seed).uniform(0.05, 1.0))
        died = time.monotonic()
        child.send_signal(signal.SIGKILL)
        ledger = [line.split() for line in child.stdout.read().splitlines() if line.count(b" ") == 1]
        child.wait()
        owed = [int(number) for number, when in ledger if float(when) <= died - 0.2]
        os.environ["NBML_PROJECT"] = env["NBML_PROJECT"]
        store.use(None)
        box = store.current()
        [row] = runs.rows(box)
        values = list(runs.points(box, row.thing, "loss")[2])
        acknowledged += len(owed)
        lost += len([number for number in owed if number >= len(values)])
        damaged += values != list(range(len(values))) or box.read("PRAGMA integrity_check")[0][0] != "ok"
    print(f"\n{count} kills: of {acknowledged:,} points that were 200 ms old {lost} are lost; {damaged} damaged records.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", help="the Python of an environment with benchmarks/requirements-tracking.txt; without it only nbml")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        os.environ["NBML_PROJECT"] = folder
        if not asked.peers:
            for tool in [tool for tool in TOOLS if tool != "nbml"]:
                del TOOLS[tool]
        peers(str(Path(asked.peers or sys.executable).absolute()), asked.rounds, asked.calls, home)
        burst(home)
        fits()
        reading(asked.runs, home)
        kills(asked.kills, home)


if __name__ == "__main__":
    main()
