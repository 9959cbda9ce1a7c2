"""Answer many requests of one Bento: ``python -I -B score.py FOLDER``, requests on stdin, answers on stdout.

A request is its length (8 bytes), one byte (1: look at the rows, ask no model) and the body of ``POST /predict``; an answer is its
length, its status as HTTP has it (2 bytes) and its body. The first answer, before any request, says that all is loaded: status 200, or
500 with the failure. It is the service's own door that answers (``nbml_runtime.front.Front``), without a server before it.

This file is not copied into a Bento: it runs from nbml's own folder, so that Bentos of earlier versions are scored too.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

REQUEST, ANSWER = struct.Struct("<QB"), struct.Struct("<QH")


class Asked:
    """The model behind the door, and how it failed last."""

    def __init__(self, bridge: Any, model: Any, answer: Any) -> None:
        self._bridge, self._model, self._answer = bridge, model, answer
        self.looking = False
        self.failed: dict[str, Any] | None = None

    def __call__(self, columns: dict[str, list[Any]]) -> Any:
        if self.looking:
            return self._answer([None] * len(next(iter(columns.values()))))
        try:
            return self._answer(*self._model.answer(columns))
        except BaseException as error:
            self.failed = self._bridge.failure(error)
            raise


def main(arguments: list[str]) -> int:
    """Serve until stdin ends. Prints of the model's code go to stderr."""
    folder = Path(arguments[0])
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.path.insert(0, str(folder))
    import bridge  # type: ignore[import-not-found]

    try:
        from nbml_runtime.front import Answer, Front  # type: ignore[import-not-found]

        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        asked = Asked(bridge, getattr(bridge, "serving", bridge.load)(manifest), Answer)  # earlier Bentos have no executors
        front = Front(manifest, asked)
    except Exception as error:
        _say(out, 500, json.dumps(bridge.failure(error)).encode())
        return 1
    _say(out, 200, b"")
    while head := sys.stdin.buffer.read(REQUEST.size):
        size, looking = REQUEST.unpack(head)
        asked.looking, asked.failed = bool(looking), None
        status, body, _ = front.answer(sys.stdin.buffer.read(size))
        if status == 500 and asked.failed is not None:
            body = json.dumps(asked.failed).encode()
        elif status == 200 and looking:
            body = b""
        _say(out, status, body)
    return 0


def _say(out: BinaryIO, status: int, body: bytes) -> None:
    out.write(ANSWER.pack(len(body), status) + body)
    out.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
