"""The closure installed for real, from the package index that pip or uv is set up for: uv where it is there, else pip.

All distributions of the closure are pinned to the versions that are here, so that the environment has the kernel's or
cannot be had. uv does not read pip's configuration: where it has none of its own, pip's is handed to it. POSIX.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import sys
from pathlib import Path

from nbml import errors
from nbml.packaging.environments import layout
from nbml.packaging.environments.closure import Closure

#: seconds that an installation may take in all, and that a tool waits for a server where nobody has set another time
LIMIT, PATIENCE = 1800.0, "15"
#: what says that uv knows its index by itself
OWN = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX", "UV_CONFIG_FILE")
#: pip's setting -> uv's variable, and what stands between several values
HANDED = {
    "index-url": ("UV_DEFAULT_INDEX", " "), "extra-index-url": ("UV_INDEX", " "), "find-links": ("UV_FIND_LINKS", ","),
    "no-index": ("UV_NO_INDEX", " "), "cert": ("SSL_CERT_FILE", " "),
}  # fmt: skip


def check(closure: Closure) -> list[str]:
    """Nothing is open in what was installed. Raises errors.ProofFailed for what is in no index."""
    for one in closure.members.values():
        if one.editable:
            raise errors.ProofFailed(
                f"{one.name} is needed, and it is an editable installation, which no package index has",
                next=f"%pip install '{one.name} @ {one.editable}'",
            )
    return []


def fill(work: Path, closure: Closure) -> None:
    """Install the closure into the empty folder ``work``. Raises errors.ProofFailed with the tool's last line."""
    listed = work / "requirements.txt"
    layout.skeleton(work)
    listed.write_text("".join(f"{name}=={version}\n" for name, version in closure.pins.items()), encoding="utf-8")
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON") and key not in ("VIRTUAL_ENV", "CONDA_PREFIX")}
    uv = _uv()
    if uv is not None:
        argv: tuple[str, ...] = ("pip", "install", "--python", str(layout.python(work)), "--compile-bytecode", "-r", str(listed))
        done = _run(uv, argv, {"UV_HTTP_TIMEOUT": PATIENCE, "UV_HTTP_RETRIES": "1", **env, **_handed(env)}, work)
    else:
        argv = ("-I", "-m", "pip", "--python", str(layout.python(work)), "install", "--disable-pip-version-check", "-r", str(listed))
        done = _run(sys.executable, argv, {"PIP_DEFAULT_TIMEOUT": PATIENCE, "PIP_RETRIES": "1", **env}, work)
    if done is not None:
        tool = "uv" if uv is not None else "pip"
        raise errors.ProofFailed(
            f"the package index does not give what the model needs: {tool}: {last_line(done)}",
            instead=("proof", "local"),
        )


def marks(closure: Closure, home: Path) -> list[Path]:
    """None: nobody else writes there."""
    return []


def facts(closure: Closure) -> list[str]:
    return [f"{name}=={version}" for name, version in closure.pins.items()]


def last_line(text: str) -> str:
    """What a tool ended with, in one line, without names and passwords of servers."""
    _, *causes = re.split(r"╰─▶ |^ *cause: ", text, flags=re.MULTILINE)  # uv, on a terminal and elsewhere; its lines are wrapped
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("hint:")]
    said = causes[-1] if causes else lines[-1] if lines else ""
    said = re.split(r"\n\s*\n|\n\s*hint:", said, maxsplit=1)[0]
    line = re.sub(r"//[^/@\s]+@", "//", " ".join(said.split())).removeprefix("ERROR: ").removeprefix("error: ")
    return line if len(line) <= 300 else f"{line[:297]}..."


def _uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else shutil.which("uv")


def _run(program: str, argv: tuple[str, ...], env: dict[str, str], work: Path) -> str | None:
    """What the program said where it failed; None where it did not."""
    from nbml import running

    done = running.run(running.Job(argv, work, env, b"", LIMIT, program))
    if done.code == 0:
        return None
    text = done.errors.strip() or done.output.decode("utf-8", "replace").strip()
    return f"it took longer than {LIMIT:g} s" if done.timed_out else text or f"it ended with {done.code}"


def _handed(env: dict[str, str]) -> dict[str, str]:
    """pip's index for uv, where uv has none of its own. As with pip the best version of all indexes is taken."""
    from nbml import running

    if any(env.get(name) for name in OWN):
        return {}
    done = running.run(running.Job(("-I", "-m", "pip", "config", "list"), Path("/"), env))
    found: dict[str, str] = {}
    for line in done.output.decode("utf-8", "replace").splitlines() if done.code == 0 else ():
        name, _, value = line.partition("=")
        section, _, setting = name.rpartition(".")
        if setting in HANDED and section in ("global", "install", ":env:"):
            variable, between = HANDED[setting]
            found[variable] = between.join(str(ast.literal_eval(value)).split())
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", **found} if found else {}
