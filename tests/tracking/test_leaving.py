"""What leaves for a tracker: what the settings name, nothing secret, and what a tool cannot hold is said."""

from __future__ import annotations

import hashlib
import math
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import nbml
from conftest import until
from nbml import errors, store
from nbml.store import outbox
from nbml.tracking import after, records
from nbml.tracking.sender import wake
from nbml.tracking.trackers import fitting

pytestmark = pytest.mark.slow
TRACKERS = ("wandb", "mlflow", "comet")
CELL = """%%nbml track leaving
password = "canary-cell-1234"
from sklearn.base import BaseEstimator
class Model(BaseEstimator):
    def __init__(self, api_key="", depth=3): self.api_key = api_key; self.depth = depth
    def fit(self, X): return self
Model(api_key="canary-param-1234").fit(df[["age"]])
nbml.log({"acc@5": float("inf"), "_step": 1.0}, step=3)
nbml.log({"acc@5": 0.5}, step=3)
"""


def png() -> bytes:
    """One black point."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = part(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + part(b"IDAT", zlib.compress(b"\0\0")) + part(b"IEND", b"")


def sent(run: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Let the three trackers hear of a run, offline; what the run says of them."""
    for name in [name for name in os.environ if name.startswith(("WANDB_", "MLFLOW_", "COMET_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NBML_SENDER_IDLE", "0.3")
    here = store.current()
    here.write(lambda db: outbox.put(db, run._thing.id, TRACKERS))
    wake(here)
    until(lambda: not outbox.waiting(here), 90, str(run.mirrors))
    until(lambda: here.holder(outbox.OFFICE) is None, 30)
    return dict(run.mirrors)


def bytes_of(root: Path) -> bytes:
    """All that lies where trackers put it, unpacked."""
    found = b""
    for file in [root / "mlflow.db", *(one for folder in ("wandb", "mlruns", "comet") for one in (root / folder).rglob("*"))]:
        if file.suffix == ".zip":
            with zipfile.ZipFile(file) as packed:
                found += b"".join(packed.read(name) for name in packed.namelist())
        elif file.is_file():
            found += file.read_bytes()
    return found


def names_of(root: Path) -> dict[str, set[str]]:
    """The files that each tracker has beside the numbers."""
    [packed] = root.glob("comet/*.zip")
    [artifacts] = root.glob("mlruns/*/*/artifacts")
    with zipfile.ZipFile(packed) as found:
        comet = set(found.namelist()) - {"experiment.json", "messages.json"}
    wandb = {file.name for file in root.glob("wandb/*/files/*")} - {"config.yaml", "wandb-summary.json", "output.log"}
    return {"comet": comet, "wandb": wandb, "mlflow": {file.name for file in artifacts.iterdir()}}


def tracked(shell: Any, project: Path, monkeypatch: pytest.MonkeyPatch, send: str) -> Any:
    """A run with secrets wherever one may be, and everything that can be sent."""
    (project / "nbml.toml").write_text(f'[tracking]\nsend = {send}\n[data]\nprivate = ["ssn"]\n')
    monkeypatch.setenv("SERVICE_TOKEN", "canary-environment-1234")
    df = pd.DataFrame({"age": range(50), "ssn": [f"canary-ssn-{i}" for i in range(50)]})
    nbml.snapshot(df, name="people")
    shell.user_ns.update(df=df, nbml=nbml)
    options = f"--tags canary-environment-1234,{'t' * 70} --note x-canary-environment-1234"
    assert shell.run_cell(CELL.replace("track leaving", f"track leaving {options}")).success
    run = nbml.run("leaving")
    here = store.current()
    assert run.datasets
    here.update(run._thing, {"figures": [{"title": "f", "kind": "image/png", "blob": here.put_blob(png())}]})
    return run


def test_code_figures_and_samples_leave_where_the_setting_says_so_and_no_secret_does(
    shell: Any, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tracked(shell, project, monkeypatch, '["params", "metrics", "code", "figures", "samples"]')
    said = sent(run, monkeypatch)
    everything = bytes_of(project)
    assert [everything[i - 60 : i + 30] for i in range(len(everything)) if everything.startswith(b"canary", i)] == []
    assert b"class Model(BaseEstimator)" in everything
    assert b"depth" in everything
    for names in names_of(project).values():
        assert {"cell.py", "figure-1.png", "people-1.csv"} <= names
    there = f"acc_5_{hashlib.sha256(b'acc@5').hexdigest()[:6]}"
    tag = f"_redacted__{hashlib.sha256(b'[redacted]').hexdigest()[:6]}"
    assert said["mlflow"].partition(" · metrics")[0] == f"mlflow.db · tags: [redacted] is {tag} there"
    assert said["mlflow"].partition("there · ")[2] == f"metrics: acc@5 is {there} there · infinity stands as 1.797e308: 1 of acc@5"
    long, cut = "t" * 70, "t" * 57 + "_" + hashlib.sha256(b"t" * 70).hexdigest()[:6]
    assert said["wandb"].partition(" · ")[2] == (
        f"tags: {fitting.short(long)} is {fitting.short(cut)} there · metrics that are called as W&B's own are left out: _step"
        " · of several values at one step the last one stands, without 1 of acc@5"
    )
    assert said["comet"].startswith("comet/")


def test_by_default_only_names_params_and_metrics_leave(shell: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tracked(shell, project, monkeypatch, '["params", "metrics"]')
    sent(run, monkeypatch)
    everything = bytes_of(project)
    assert b"canary" not in everything
    assert b"class Model" not in everything
    assert b"PNG" not in everything
    assert b"acc@5" in everything


def test_a_setting_that_is_none_is_refused(project: Path) -> None:
    (project / "nbml.toml").write_text('[tracking]\nsend = ["params", "data"]\n')
    with pytest.raises(errors.BadArgument) as caught:
        nbml.track("a")
    assert caught.value.message == (
        "nbml.toml: tracking.send = ['params', 'data']: one of 'params', 'metrics', 'code', 'samples', 'figures' is needed"
    )


def test_private_columns_and_the_index_that_is_one_are_no_sample(project: Path) -> None:
    df = pd.DataFrame({"age": [1, 2], "who": ["canary-a", "canary-b"]}).set_index("who")
    nbml.snapshot(df, name="people")
    (project / "nbml.toml").write_text('[tracking]\nsend = ["samples"]\n[data]\nprivate = ["who"]\n')
    with nbml.track("a", to=()) as run:
        pass
    after.wait(run._thing.id)
    store.current().update(run._thing, {"data": [{"ref": "people@1", "rows": 2, "columns": 1, "kind": "DataFrame", "fingerprint": ""}]})
    found = records.record(store.current(), run._thing.id)
    assert (found.samples, found.params, found.series) == ({"people-1.csv": "age\n1\n2\n"}, {}, {})


def test_infinity_is_infinite() -> None:
    assert fitting.infinities({"a": ([], [], [1.0, math.inf, -math.inf]), "b": ([], [], [math.nan])}) == {"a": 2}
