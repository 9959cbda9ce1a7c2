"""A Slice as a Bento: the folder of the service written, built by BentoML in a process and a home of its own, moved to its place."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.packaging.proof import Expected

if TYPE_CHECKING:
    from nbml.packaging.inputs import Rows
    from nbml.running import Executor, Handle
    from nbml.slicing import Slice
    from nbml.store import Store

HERE = Path(__file__).parent
RUNTIME = HERE.parent / "runtime"
#: what the service itself needs, beside what the model's code imports
SERVE = ("bentoml", "numpy", "orjson", "uvicorn", "uvloop", "httptools")
#: what makes frames of requests, where the model takes frames
FRAMES = ("pandas",)
#: BentoML before has published vulnerabilities
OLDEST = "1.4.39"
#: files of the service, the same in every Bento
TEMPLATE = (HERE / "bridge.py", HERE / "bento" / "service.py", HERE / "bento" / "docs.html")
#: modules that a sliced module must not be called
TAKEN = {"bridge", "service", "nbml_runtime", "nbml"}
TAKEN_FILES = {
    "bridge.py", "service.py", "docs.html", "nbml_runtime", "nbml_runtime.py", "manifest.json", "sample.json", "executor.json",
    "executor.bin", "executor.onnx",
}  # fmt: skip
#: seconds that a build may take
LIMIT = 300.0


def module_name(name: str) -> str:
    """``breast-cancer`` -> ``breast_cancer_model``: a name that no other module of the process bears."""
    from importlib.util import find_spec

    text = "".join(c if c.isalnum() else "_" for c in name)
    word = f"{text}_model" if text[0].isalpha() else f"m_{text}_model"
    while word in TAKEN or (word not in sys.modules and find_spec(word) is not None) or word in sys.modules:
        word += "_"
    return word


def requirements(cut: Slice, rows: Rows) -> tuple[str, ...]:
    """Pinned: what the Slice found, and what the service needs; those that are installed here. The proof adds what lacks.

    Raises errors.BadInput for a BentoML that no service should run on.
    """
    found = {line.partition("==")[0].lower(): line for line in cut.requirements}
    arrow = ("pyarrow",) if any("[pyarrow]" in spec["dtype"] for spec in rows.inputs) else ()
    for name in SERVE + (() if rows.kind == "array" else FRAMES) + arrow:
        with contextlib.suppress(PackageNotFoundError):
            found.setdefault(name, f"{name}=={version(name)}")
    have = found.get("bentoml", "").partition("==")[2]
    if _parts(have) < _parts(OLDEST):
        told = f"BentoML {have} is installed" if have else "BentoML is not installed"
        raise errors.BadInput(f"{told}; services run on {OLDEST} or later", next=f"%pip install 'bentoml>={OLDEST},<1.5'")
    return tuple(found[name] for name in sorted(found))


def _parts(version: str) -> tuple[int, ...]:
    """``1.4.39`` as numbers; what follows them is no matter."""
    return tuple(int(digits.group()) for part in version.split(".") if (digits := re.match(r"\d+", part)))


def runtime_files() -> dict[str, bytes]:
    """The runtime as it is copied: relative path -> content."""
    return {path.relative_to(RUNTIME).as_posix(): path.read_bytes() for path in sorted(RUNTIME.rglob("*.py"))}


def runtime_hash() -> str:
    """SHA-256 over the runtime's files, names and contents."""
    digest = hashlib.sha256()
    for name, content in runtime_files().items():
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def identity(cut: Slice, manifest: Mapping[str, Any]) -> str:
    """A SHA-256 over all that decides what the service does: equal ones are one version."""
    decides = (
        "module", "entry", "input", "inputs", "labels", "output", "key", "policy", "suite", "expectations", "requirements", "python",
        "runtime", "artifacts", "environment", "execution",
    )  # fmt: skip
    said = {name: manifest.get(name) for name in decides}
    said["source"] = cut.source
    said["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(cut.files.items())}
    said["template"] = [hashlib.sha256(path.read_bytes()).hexdigest() for path in TEMPLATE]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def write(folder: Path, cut: Slice, manifest: Mapping[str, Any], want: Expected, *, private: bool = False) -> None:
    """The service's folder. Without ``private`` rows the sample holds the rows of the proof and their answers."""
    clash = sorted({name.partition("/")[0] for name in cut.files} & TAKEN_FILES)
    if clash:
        raise errors.SliceRefused(f"the helper module {clash[0]} has the name of a file of every service; rename it")
    folder.mkdir(parents=True, mode=0o700)
    cut.write(folder)
    for path in TEMPLATE:
        shutil.copyfile(path, folder / path.name)
    for name, content in runtime_files().items():
        target = folder / "nbml_runtime" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    known = {"rows": want.sent, "predictions": want.predictions, "probabilities": want.probabilities}
    _json(folder / "sample.json", {"rows": [], "predictions": [], "probabilities": None} if private else known)
    rewrite(folder, manifest)


def rewrite(folder: Path, manifest: Mapping[str, Any]) -> None:
    """The manifest as it is now, and its requirements, into the service's folder."""
    _json(folder / "manifest.json", manifest)
    (folder / "requirements.txt").write_text("\n".join(manifest["requirements"]) + "\n", encoding="utf-8")


def begin(work: Path, source: Path, manifest: Mapping[str, Any]) -> Handle:
    """BentoML at work on the Bento of ``source``, below ``work``."""
    from nbml import registry, running

    name, number = manifest["service"], manifest["version"]
    home = work / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(mode=0o700)
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "BENTOML_", "NBML_"))}
    env |= {"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True"}
    asked = {
        "name": name, "version": str(number), "folder": str(source), "labels": {"nbml": f"{name}@{number}"},
        "requirements": [line for line in manifest["requirements"] if not line.startswith("bentoml==")],  # BentoML adds itself
        "description": f"{name}@{number}, packaged from a notebook and proven equal to it.",
    }  # fmt: skip
    argv = ("-I", "-B", str(HERE / "bento" / "assemble.py"))
    executor: Executor = registry.adapter("nbml.executors", "process")()
    return executor.submit(running.Job(argv, work, env, json.dumps(asked).encode(), LIMIT))


def end(building: Handle, name: str) -> Path:
    """The Bento's folder, when it is built. Raises errors.ProofFailed with BentoML's last line."""
    done = building.wait()
    if done.code != 0 or not done.output:
        last = done.errors.strip().splitlines()[-1:] or [f"it ended with {done.code}"]
        raise errors.ProofFailed(f"BentoML did not build {name}: {last[0]}")
    built = Path(json.loads(done.output)["path"])
    (built / "src" / "bentofile.yaml").unlink(missing_ok=True)  # the same is in bento.yaml
    return built


@contextlib.contextmanager
def workplace(store: Store, name: str) -> Iterator[Path]:
    """An empty folder for building ``name``, for one process at a time; gone at the end, also after an interrupt."""
    rooms = store.room("services", ".building")
    with (rooms / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        work = rooms / name
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def size_of(folder: Path) -> int:
    """Bytes of a folder's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def python_version() -> str:
    return platform.python_version()


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")
