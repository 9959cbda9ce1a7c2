"""Networks of PyTorch, in an environment of their own: its wheels are large. Left out by name where they cannot be had."""

from __future__ import annotations

import functools
import shutil
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.torch, pytest.mark.timeout(1200)]

#: bytes that must be free, and seconds that installing may take
SPACE, LIMIT = 8_000_000_000, 600


@functools.cache
def python() -> str:
    """The interpreter of an environment that has this one's packages and PyTorch; made once, below this one's folder."""
    home = Path(sys.prefix) / "torch"
    found = home / "bin" / "python"
    if (home / ".installed").is_file():
        return str(found)
    free = shutil.disk_usage(sys.prefix).free
    if free < SPACE:
        pytest.skip(f"PyTorch needs {SPACE / 1e9:.0f} GB of disk, {free / 1e9:.1f} GB are free")
    venv.create(home, clear=True, with_pip=True, symlinks=True)
    place = next(home.glob("lib/python*/site-packages"))
    lines = [f"import site; site.addsitedir({folder!r})" for folder in site.getsitepackages()]  # whose own .pth files count too
    (place / "main.pth").write_text("\n".join(lines) + "\n")
    try:
        command = [found, "-m", "pip", "install", "--quiet", "--no-compile", "torch>=2.6"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        pytest.skip(f"PyTorch was not installed within {LIMIT} s")
    if done.returncode:
        pytest.skip(f"PyTorch cannot be installed: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    (home / ".installed").touch()
    return str(found)


SCRIPT = '''
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "nbml")
def run(source):
    shell.run_cell(source, store_history=True).raise_error()
run("""
import numpy as np
import pandas as pd
import torch
from torch import nn
torch.manual_seed(0)
X = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 3)), columns=["a", "b", "c"])
""")
run("""
class Net(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.first = nn.Sequential(nn.Linear(3, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Dropout(0.5))
        self.last = nn.Linear(hidden, 1)
        self.register_buffer("scale", torch.tensor([2.0]))
    def forward(self, x):
        return self.last(self.first(x)).squeeze(1) * self.scale
""")
run("""
net = Net(8)
net(torch.randn(64, 3))
plain = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
""")
run("import nbml; made = nbml.package(net, 'net', on=X); other = nbml.package(plain, 'plain', on=X.to_numpy())")
names = shell.user_ns
run("""
def want(model, rows):
    mode = model.training
    model.eval()
    with torch.no_grad():
        found = model(torch.tensor(np.asarray(rows), dtype=torch.float32)).numpy()
    model.train(mode)
    return found
got = made.predict(X[["c", "a", "b"]].head(5))
assert got.dtype == np.float32 and got.tolist() == want(net, X.head(5)).tolist(), got
got = other.predict(X.to_numpy()[:4])
assert got.shape == (4, 2) and np.allclose(got, want(plain, X.head(4)), rtol=1e-9), got
""")
net = names["net"]
assert net.training and net.first[3].training
print(json.dumps([names[n].manifest["artifacts"] for n in ("made", "other")]))
open("module.py", "w").write(names["made"].source)
'''


def test_a_network_of_the_notebook_is_served_by_weights_and_source(tmp_path: Path) -> None:
    done = subprocess.run([python(), "-c", SCRIPT], capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-2000:]
    import json

    (own,), (plain,) = json.loads(done.stdout.splitlines()[-1])
    assert (own["format"], plain["format"]) == ("torch", "torch")
    assert "net_model.Net" in own["types"]
    assert "torch.nn.modules.linear.Linear" in plain["types"]
    source = (tmp_path / "module.py").read_text()
    assert "class Net(nn.Module):" in source
    assert "weights_only=True" in source
    assert "import pickle" not in source
