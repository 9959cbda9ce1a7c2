"""What a fresh process runs: a program as ``__main__``, watched so that it changes nothing of the project.

Told by JSON on standard input; writes a pickle of ``values`` (name -> pickle), ``error`` and ``where``.
"""

from __future__ import annotations

import importlib
import json
import os
import pickle
import sys
import traceback
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

#: audit events that change what a path names -> where the paths are among their arguments
CHANGES = {
    "os.remove": (0,), "os.rename": (0, 1), "os.rmdir": (0,), "os.mkdir": (0,), "os.truncate": (0,), "os.link": (1,), "os.symlink": (1,),
    "os.chmod": (0,), "os.utime": (0,), "shutil.rmtree": (0,), "shutil.move": (0, 1), "shutil.copyfile": (1,), "shutil.copytree": (1,),
}  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def guard(root: str) -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook that refuses to change files below ``root``; nbml's own record is left to nbml."""
    within = Path(root)
    record = within / ".nbml"

    def refuse(path: Any, through_links: bool) -> None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return
        named = Path(os.fsdecode(path))
        real = named.resolve() if through_links else named.parent.resolve() / named.name
        if real.is_relative_to(within) and not real.is_relative_to(record):
            raise PermissionError(f"a replay changes no file of the project: {real.relative_to(within)}")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            if isinstance(arguments[2], int) and arguments[2] & WRITING:
                refuse(arguments[0], True)
        elif event in CHANGES:
            for place in CHANGES[event]:
                refuse(arguments[place], event == "os.truncate")

    return hook


def run(path: str, names: Sequence[str], through: str) -> dict[str, Any]:
    """Run the program; the names' values as pickles, or the error."""
    main = types.ModuleType("__main__")
    main.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = main
    source = Path(path).read_text(encoding="utf-8")
    told: dict[str, Any] = {"values": {}, "error": "", "where": ""}
    try:
        exec(compile(source, path, "exec"), main.__dict__)  # noqa: S102 - the user's own program, in a process made for it
    except BaseException as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
        told["error"] = _line(error)
        told["where"] = (frames[-1].line or "").strip() if frames else ""
        return told
    for name in names:
        try:
            value = main.__dict__[name]
            told["values"][name] = _pickled(_through(through)(value) if through else value)
        except Exception as error:
            told["error"] = told["error"] or f"{name} cannot leave its process: {_line(error)}"
    return told


def _line(error: BaseException) -> str:
    """The last line of a traceback."""
    lines = "".join(traceback.format_exception_only(error)).strip().splitlines()
    return lines[0] if len(lines) > 1 and not isinstance(error, SyntaxError) else lines[-1]


def _through(told: str) -> Callable[[Any], Any]:
    module, _, attribute = told.partition(":")
    found: Callable[[Any], Any] = getattr(importlib.import_module(module), attribute)
    return found


def _pickled(value: Any) -> bytes:
    """What the program defined goes by value: the notebook may call something else so by now."""
    try:
        found = pickle.dumps(value, protocol=5)
        if b"__main__" not in found:
            return found
    except (pickle.PicklingError, AttributeError):  # a lambda, a class of a function; what cannot travel at all is a TypeError
        pass
    import cloudpickle

    whole: bytes = cloudpickle.dumps(value, protocol=5)
    return whole


def main() -> None:
    told = json.loads(sys.stdin.buffer.read())
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    sys.addaudithook(guard(told["keep"]))
    found = run(told["source"], told["names"], told["through"])
    written = Path(told["result"] + ".part")
    written.write_bytes(pickle.dumps(found))
    written.rename(told["result"])
    sys.stdout.flush()
    os._exit(0)  # what the program left running, threads and exit hooks, is not waited for


if __name__ == "__main__":
    main()
