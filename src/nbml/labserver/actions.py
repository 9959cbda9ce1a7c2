"""Commands of the table, run by the project's own Python: an argument list, no shell, nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbml import errors
from nbml.labserver.binding import Binding

#: seconds that a command may take
LIMIT = 900.0
#: and a page
PAGE = 60.0
#: commands of one server that may run at once
AT_ONCE = 4
#: the last characters of what a command printed that are handed on
TAIL = 20_000
#: commands whose frames are handed on as the results that they show
SHOWN = ("compare",)


class Actions:
    """Runs commands; remembers each Python's table."""

    def __init__(self) -> None:
        self._tables: dict[tuple[str, float], list[dict[str, Any]]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def table(self, binding: Binding) -> list[dict[str, Any]]:
        """The command table of the project's nbml. Raises errors.DeployFailed where there is none."""
        key = binding.python, _mtime(binding.python)
        if key not in self._tables:
            code, out, err = await self._start(binding, ["-m", "nbml.commands", "--json"], 60.0)
            said = _json(out)
            commands = said.get("commands") if isinstance(said, dict) else said
            if code != 0 or not isinstance(commands, list):
                raise errors.NotFound(f"the project's Python has no nbml that answers: {_last(err) or 'no output'}")
            self._tables[key] = [c for c in commands if isinstance(c, dict) and isinstance(c.get("name"), str)]
        return self._tables[key]

    async def run(self, binding: Binding, argv: list[str]) -> dict[str, Any]:
        """``<the project's python> -m nbml ARGV --json``: its exit code, its value and what it printed."""
        known = {c["name"] for c in await self.table(binding)}
        if argv[0] not in known:
            near = errors.nearest(argv[0], known)
            raise errors.UnknownCommand(f"no command {argv[0][:60]!r}" + (f"; nearest: {near}" if near else ""))
        async with self._slots:
            more = {"NBML_JSON": "shown"} if argv[0] in SHOWN else {}
            code, out, err = await self._start(binding, ["-m", "nbml", *argv, "--json"], LIMIT, more)
        value = _json(out)
        answer: dict[str, Any] = {"code": code, "value": value, "text": "" if value is not None else out[-TAIL:]}
        if code != 0:
            answer |= _failure(value, out, err)
        return answer

    async def page(self, binding: Binding, run: str) -> dict[str, Any]:
        """The page of a run that never showed itself, as the project's Python draws it. Raises errors.NotFound."""
        async with self._slots:
            code, out, err = await self._start(binding, ["-m", "nbml", "run", run, "--json"], PAGE)
        value = _json(out)
        if code != 0 or not isinstance(value, dict):
            raise errors.NotFound(str(_failure(value, out, err)["message"]))
        return value

    async def _start(self, binding: Binding, args: list[str], limit: float, more: Mapping[str, str] = {}) -> tuple[int, str, str]:
        env = {**os.environ, "NBML_PROJECT": str(binding.root), "PYTHONUNBUFFERED": "1", **more}
        env.pop("JPY_SESSION_NAME", None)
        try:
            process = await asyncio.create_subprocess_exec(
                binding.python, *args, cwd=binding.root, env=env, stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            raise errors.NotFound(f"the project's Python cannot be started: {error.strerror}") from error
        try:
            out, err = await asyncio.wait_for(process.communicate(), limit)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            if isinstance(error, TimeoutError):
                raise errors.DeployFailed(f"the command took more than {limit:.0f} s and was ended") from error
            raise
        return process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace")


def checked(argv: Any) -> list[str]:
    """``argv`` as a list of words. Raises errors.BadArgument for anything else."""
    if not isinstance(argv, list) or not 1 <= len(argv) <= 64:
        raise errors.BadArgument('"argv" is a list of 1 to 64 words')
    if not all(isinstance(word, str) and len(word) <= 10_000 and "\0" not in word for word in argv):
        raise errors.BadArgument('each word of "argv" is text without NUL, of at most 10,000 characters')
    return argv


def _failure(value: Any, out: str, err: str) -> dict[str, Any]:
    said = value.get("error", value) if isinstance(value, dict) else {}
    said = said if isinstance(said, dict) else {"message": str(said)}
    message = said.get("message") or _last(err) or _last(out) or "the command failed"
    return {"message": str(message)[-2000:], "next": said.get("next") if isinstance(said.get("next"), str) else None}


def _json(out: str) -> Any:
    """The value of the last JSON text that was printed; None where there is none."""
    for text in (out, out.strip().rpartition("\n")[2]):
        try:
            return json.loads(text)
        except ValueError:
            continue
    return None


def _last(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return "\n".join(lines[-2:])


def _mtime(python: str) -> float:
    try:
        return Path(python).stat().st_mtime
    except OSError:
        return 0.0
