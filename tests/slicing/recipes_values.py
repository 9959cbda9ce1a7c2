"""A value as text that is equal only where the value is; as a program, what sources give in fresh processes.

The program reads jobs from standard input, as JSON: (id, folder, environment, source, name). It imports the large libraries
once and forks for each job, so that each runs in a process in which nothing ran before. It prints id -> text, as JSON.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import sys
import traceback
import types
from typing import Any

LIBRARIES = (
    "numpy", "numpy.random", "pandas", "pyarrow.parquet", "sklearn.linear_model", "sklearn.ensemble", "sklearn.datasets",
    "sklearn.model_selection",
)  # fmt: skip


def encode(value: Any) -> str:
    """Equal texts for equal values, bit by bit: types, dtypes, order, index and signs of zeros count."""
    import numpy as np
    import pandas as pd

    kind = type(value).__name__
    if isinstance(value, (bool, int, str, bytes, type(None))):
        return f"{kind} {value!r}"
    if isinstance(value, np.generic):
        return encode(np.asarray(value))
    if isinstance(value, float):
        return f"float {value.hex()}"
    if isinstance(value, np.ndarray):
        content = repr(value.tolist()) if value.dtype == object else hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return f"array {value.dtype} {value.shape} {content}"
    if isinstance(value, pd.DataFrame):
        columns = [encode(value.iloc[:, place]) for place in range(value.shape[1])]
        return f"frame {list(value.columns)!r} {encode(value.index)} {columns}"
    if isinstance(value, (pd.Series, pd.Index)):
        index = encode(value.index) if isinstance(value, pd.Series) else ""
        return f"{kind} {value.name!r} {value.dtype} {[encode(item) for item in value.tolist()]} {index}"
    if isinstance(value, dict):
        return f"{kind} {[(encode(key), encode(item)) for key, item in value.items()]}"
    if isinstance(value, (set, frozenset)):
        return f"{kind} {sorted(encode(item) for item in value)}"
    if isinstance(value, (list, tuple)):
        return f"{kind} {[encode(item) for item in value]}"
    raise TypeError(f"the corpus compares no {kind}")


def answer(folder: str, environment: dict[str, str], source: str, name: str) -> str:
    """What ``name`` is once the source has run in that folder; the error where it does not run."""
    os.environ.update(environment, NBML_PROJECT=folder)
    os.chdir(folder)
    sys.path.insert(0, folder)
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    try:
        exec(compile(source, "recipe.py", "exec"), vars(main))
        return encode(vars(main)[name])
    except BaseException:
        return traceback.format_exc()


def _forked(job: list[Any]) -> str:
    """One job in a process of its own."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reads)
        os.dup2(2, 1)  # what a notebook prints
        with os.fdopen(writes, "w") as out:
            out.write(answer(*job))
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as said:
        text = said.read()
    os.waitpid(child, 0)
    return text or "the process died"


if __name__ == "__main__":
    for library in LIBRARIES:
        importlib.import_module(library)
    print(json.dumps({key: _forked(job) for key, *job in json.load(sys.stdin)}))
