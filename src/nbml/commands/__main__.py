"""``python -m nbml.commands --json`` prints the table, ``--reference`` the reference page."""

from __future__ import annotations

import json
import sys
from typing import Any

from nbml.commands.help import python, reference, usage
from nbml.commands.table import REQUIRED, TABLE, Command, Param


def table() -> dict[str, Any]:
    """The commands as JSON: what JupyterLab's palette and server read."""
    return {"commands": [_command(command) for command in TABLE if command.magic]}


def _command(command: Command) -> dict[str, Any]:
    return {
        "name": command.name, "verb": command.function, "summary": command.summary, "example": command.example, "usage": usage(command),
        "python": python(command), "cell": command.cell, "since": command.since, "params": [_param(p) for p in command.params],
    }  # fmt: skip


def _param(param: Param) -> dict[str, Any]:
    required = param.default is REQUIRED
    default = None if required else [] if param.default == () else param.default
    return {
        "name": param.name, "kind": param.kind, "option": param.flag if param.typed else "", "required": required,
        "default": default, "choices": list(param.choices), "help": param.help,
    }  # fmt: skip


def main(arguments: list[str]) -> int:
    texts = {"--json": lambda: json.dumps(table(), indent=1) + "\n", "--reference": reference}
    if len(arguments) != 1 or arguments[0] not in texts:
        sys.stderr.write("usage: python -m nbml.commands --json | --reference\n")
        return 2
    sys.stdout.write(texts[arguments[0]]())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
