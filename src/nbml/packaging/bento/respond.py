"""Answer one request as a Bento does: ``python -I -B respond.py FOLDER``, in a fresh process of the proven environment.

It reads ``{"rows": [...], "ids"?, "policy"?, "told"?}`` from stdin and writes one JSON value: ``predictions``, ``rejected`` or
``failed``; where it is to be told, also which modules were loaded, and which were asked for and are not there.

This file is not copied into a Bento: it runs from nbml's own folder, on the ``bridge`` and ``nbml_runtime`` of the Bento's.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Json = dict[str, Any]
#: rows that a translated model is asked for one by one when it is proven
ALONE = 50


class _Missed:
    """The last of the finders: remembers what no other found, and whether the model's own code asked for it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.names = folder, {}  # type: tuple[Path, dict[str, bool]]

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        frame = sys._getframe(1)
        while frame.f_back is not None and frame.f_code.co_filename.startswith(("<frozen importlib", importlib.__file__)):
            frame = frame.f_back
        own = frame.f_code.co_filename.startswith(str(self.folder) + os.sep) and Path(frame.f_code.co_filename).name != "bridge.py"
        self.names[name] = self.names.get(name, False) or own


class _NoNbml:
    """A service must not need nbml: its import is refused here, as it would fail elsewhere."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "nbml" or name.startswith("nbml."):
            raise ModuleNotFoundError("the model's code imports nbml, which no service has", name="nbml")


def respond(bridge: Any, folder: Path, request: Json) -> Json:
    """Answer one request as the service would; where it is to be told, as the model's own code does, and ``exact`` the other way."""
    from nbml_runtime import plan  # type: ignore[import-not-found, unused-ignore]

    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["policy"] = request.get("policy", manifest["policy"])
    body = {key: request[key] for key in ("rows", "ids") if key in request}
    other: Json = {}
    try:
        batch = plan.Plan.of(manifest).read(body)
        if bridge.exact(manifest):
            other = {"exact": executed(bridge, manifest, batch)}
            if not request.get("told"):
                return other["exact"] | {"flags": batch.flags}
        model = bridge.load(manifest)
        data = bridge.build(batch.columns, manifest)
        value = model.ask(data)
        predictions, probabilities = model.pack(value, data, batch.rows)
    except plan.Rejected as refusal:
        return {"rejected": {"status": refusal.status, "problems": refusal.problems}}
    except Exception as error:
        return {"failed": bridge.failure(error)}
    flags = None if batch.flags is None else [list(row) for row in batch.flags]
    return {"predictions": predictions, "probabilities": probabilities, "flags": flags, "form": bridge.form_of(value), **other}


def executed(bridge: Any, manifest: Mapping[str, Any], batch: Any) -> Json:
    """What the executor answers for all rows of a batch, and for the first ones alone; or how it fails."""
    try:
        executor = bridge.serving(manifest)
        predictions, probabilities = executor.answer(batch.columns)
        few = [executor.answer({name: [values[i]] for name, values in batch.columns.items()}) for i in range(min(batch.rows, ALONE))]
    except Exception as error:
        return {"failed": bridge.failure(error)}
    alone = {"predictions": [labels[0] for labels, _ in few], "values": [shares["values"][0] for _, shares in few if shares]}
    return {"predictions": predictions, "probabilities": probabilities, "form": executor.form, "alone": alone}


def main(arguments: list[str]) -> None:
    """Prints of the model's code go to stderr."""
    folder = Path(arguments[0]).resolve()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.path.insert(0, str(folder))
    sys.meta_path.insert(0, _NoNbml())  # type: ignore[arg-type]
    missed = _Missed(folder)
    sys.meta_path.append(missed)  # type: ignore[arg-type]
    import bridge  # type: ignore[import-not-found]

    request = json.loads(sys.stdin.buffer.read())
    answer = respond(bridge, folder, request)
    if request.get("told"):
        answer |= {"missed": missed.names, "modules": sorted(sys.modules)}
    out.write(json.dumps(answer, allow_nan=False).encode())
    out.close()


if __name__ == "__main__":
    main(sys.argv[1:])
