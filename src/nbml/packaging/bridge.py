"""Between JSON and the model: columns of values in, the training dtypes restored; answers out as JSON values.

This file is copied into every Bento, where the service and the proof run the same code; it imports the standard library,
numpy, pandas where a frame is made, and ``nbml_runtime`` beside it. Longer than other files, since it travels as one.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import importlib
import json
import linecache
import math
import os
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
Json = dict[str, Any]
#: of manifest.json
FORMAT = 1


class Unfit(ValueError):
    """A value that the dtype of its column cannot hold, or that JSON cannot carry."""


class Bridge:
    """The packaged model behind JSON. ``answer`` takes the columns of a request, all of one length."""

    def __init__(self, manifest: Mapping[str, Any], target: Any) -> None:
        self.manifest = manifest
        self.target = target
        self.ask = asked(target, manifest["entry"])
        self.classes = manifest["output"].get("classes")
        #: sets what libraries keep for each thread as the notebook had it, or None
        self.switches: Callable[[], None] | None = None

    def answer(self, columns: Mapping[str, list[Any]]) -> tuple[list[Any], Json | None]:
        """Predictions, one for each row, and the probabilities where the model gives them."""
        if self.switches is not None:
            self.switches()
        data = build(columns, self.manifest)
        return self.pack(self.ask(data), data, len(next(iter(columns.values()), [])))

    def pack(self, value: Any, data: Any, rows: int) -> tuple[list[Any], Json | None]:
        """What the model gave for ``data`` as JSON values."""
        predictions = predictions_of(value)
        if len(predictions) != rows:
            raise Unfit(f"{len(predictions)} answers for {rows} rows")
        if self.classes is None:
            return predictions, None
        return predictions, {"classes": self.classes, "values": self.target.predict_proba(data).tolist()}


def asked(target: Any, entry: str) -> Callable[[Any], Any]:
    """What is called with data: a function, a model's ``predict``, or a network of PyTorch."""
    if entry == "predict":
        return target
    return target.predict if hasattr(target, "predict") else functools.partial(network, target)


def network(target: Any, data: Any) -> Any:
    """What a torch.nn.Module gives for float32 in the order of the columns: in eval mode, on the CPU, without gradients."""
    import numpy as np
    import torch

    rows = data.to_numpy(dtype="float32", na_value=math.nan) if hasattr(data, "iloc") else np.asarray(data, dtype="float32")
    if any(tensor.device.type != "cpu" for tensor in target.state_dict().values()):
        target = copy.deepcopy(target).cpu()
    modes = [(part, part.training) for part in target.modules()]
    try:
        with torch.no_grad():
            value = target.eval()(torch.from_numpy(np.ascontiguousarray(rows)))
    finally:
        for part, training in modes:
            part.training = training
    if not isinstance(value, torch.Tensor):
        raise Unfit(f"the network gives a {type(value).__name__}; one tensor is needed, with an entry for each row")
    return value.numpy()


def load(manifest: Mapping[str, Any], folder: Path = FOLDER) -> Bridge:
    """The bridge of a Bento's folder: files compared with their hashes, then the module imported."""
    check(manifest, folder)
    module = importlib.import_module(manifest["module"])
    found = Bridge(manifest, getattr(module, manifest["entry"]))
    found.switches = getattr(module, "_switches", None)
    return found


def serving(manifest: Mapping[str, Any], folder: Path = FOLDER) -> Any:
    """What answers requests: the executor of a translated model, which imports none of its libraries, else the bridge."""
    if not exact(manifest):
        return load(manifest, folder)
    check(manifest, folder)
    from nbml_runtime import executors  # type: ignore[import-not-found, unused-ignore]

    return executors.load(folder, manifest["execution"])


def exact(manifest: Mapping[str, Any]) -> bool:
    """Whether an executor of ours answers, be it with ONNX Runtime at its end."""
    return manifest.get("execution", {}).get("kind") in ("exact", "onnx")


def check(manifest: Mapping[str, Any], folder: Path) -> None:
    """Raises RuntimeError where a file is another than was packaged, or a variable of the environment lacks.

    Nothing of a file is read before: a folder that nbml did not write has no such manifest, or other files.
    """
    if manifest.get("format") != FORMAT:
        raise RuntimeError(f"manifest.json is none that nbml wrote: its format is {manifest.get('format')!r}, not {FORMAT}")
    for artifact in manifest["artifacts"]:
        content = (folder / artifact["path"]).read_bytes()
        if hashlib.sha256(content).hexdigest() != artifact["sha256"]:
            raise RuntimeError(f"{artifact['path']} is not the file that was packaged")
    missing = [name for name in manifest["environment"] if name not in os.environ]
    if missing:
        raise RuntimeError(f"the environment lacks {', '.join(missing)}, which the model's code reads")


def warm(served: Any, manifest: Mapping[str, Any], folder: Path = FOLDER) -> None:
    """Ask what serves for one row of the proof, so that nothing is left to import at the first request.

    Where no rows are kept, since columns are private, it is a row without values. How it fails is told to who asks later.
    """
    try:
        row = [*json.loads((folder / "sample.json").read_text(encoding="utf-8"))["rows"], {}][0]
        served.answer({spec["name"]: [row.get(spec["name"])] for spec in manifest["inputs"]})
    except Exception:  # any: it is the user's code
        return


# -- JSON -> data ---------------------------------------------------------------------------------------------


def build(columns: Mapping[str, list[Any]], manifest: Mapping[str, Any]) -> Any:
    """What the model was given in the notebook: a DataFrame, an array, or one Series, list or 1-d array."""
    inputs = manifest["inputs"]
    if manifest["input"] == "frame":
        import pandas as pd

        frame = pd.DataFrame({i: series(columns[spec["name"]], spec) for i, spec in enumerate(inputs)})
        frame.columns = labels(manifest)
        return frame
    if manifest["input"] == "array":
        import numpy as np

        parts = [np.asarray(restore(columns[spec["name"]], spec)) for spec in inputs]
        return np.stack(parts, axis=1, dtype=np.result_type(*parts), casting="unsafe")  # with a null, integers are floats
    return _single(columns[inputs[0]["name"]], inputs[0])


def labels(manifest: Mapping[str, Any]) -> Any:
    """The column labels as they were, where they are no plain texts too."""
    import pandas as pd

    said = manifest.get("labels") or {}
    found = [spec.get("label", spec["name"]) for spec in manifest["inputs"]]
    return pd.Index(found, dtype=said.get("dtype"), name=said.get("name"))


def _single(values: list[Any], spec: Json) -> Any:
    if spec["container"] == "list":
        return list(values)
    if spec["container"] == "array":
        import numpy as np

        return np.asarray(restore(values, spec), dtype=spec["dtype"])
    found = series(values, spec)
    found.name = spec.get("label", spec["name"]) if spec.get("named", True) else None
    return found


def series(values: list[Any], spec: Json) -> Any:
    """JSON values as a Series of the column's dtype; pandas would make texts of an object array its own text dtype."""
    import pandas as pd

    restored = restore(values, spec)
    return pd.Series(restored, dtype=object if str(getattr(restored, "dtype", "")) == "object" else None)


def restore(values: list[Any], spec: Json) -> Any:
    """JSON values as an array of the column's dtype; None becomes its missing value. Raises Unfit naming the column."""
    try:
        return _RESTORE[spec["kind"]](values, spec)
    except (TypeError, ValueError, OverflowError) as error:
        raise Unfit(f"column {spec['name']!r} ({spec['dtype']}): {str(error).splitlines()[0]}") from error


def _numpy(spec: Json) -> Any:
    """The numpy dtype of a column, None where it is one of pandas' own."""
    import numpy as np

    try:
        return np.dtype(spec["dtype"])
    except TypeError:
        return None


def _number(values: list[Any], spec: Json) -> Any:
    import numpy as np

    dtype = _numpy(spec)
    if dtype is None:
        return _extension(values, spec)
    if dtype.kind == "O":
        return _objects(values, spec)
    if any(value is None for value in values):
        if dtype.kind == "b":
            return np.array(values, dtype=object)
        if dtype.kind in "iu":
            dtype = np.dtype("float64")
        values = [math.nan if value is None else value for value in values]
    return np.array(values, dtype=dtype)


def _text(values: list[Any], spec: Json) -> Any:
    import numpy as np

    dtype = _numpy(spec)
    if dtype is None or spec["dtype"] == "str":
        return _extension(values, spec) if spec.get("container") != "array" else np.array(values, dtype=str)
    if dtype.kind == "O":
        return _objects(values, spec)
    if any(value is None for value in values):
        raise ValueError("an array of texts has no missing value")
    return np.array(values, dtype=str if dtype.kind == "U" else dtype)  # texts longer than those of the training rows stay whole


def _objects(values: list[Any], spec: Json) -> Any:
    import numpy as np

    missing = math.nan if spec.get("missing") == "nan" else None
    found = np.empty(len(values), dtype=object)
    found[:] = [missing if value is None else value for value in values]
    return found


def _extension(values: list[Any], spec: Json) -> Any:
    import pandas as pd

    if spec["dtype"] == "string[pyarrow]":  # how ArrowDtype spells itself, and pandas reads it as a StringDtype
        import pyarrow

        dtype: Any = pd.ArrowDtype(pyarrow.string())
    elif "storage" in spec:
        missing: Json = {"na_value": math.nan} if spec["dtype"] == "str" else {}
        dtype = pd.StringDtype(spec["storage"], **missing)
    else:
        dtype = spec["dtype"]
    return pd.array(values, dtype=dtype)


def _datetime(values: list[Any], spec: Json) -> Any:
    import pandas as pd

    zone = spec["dtype"].partition(", ")[2].rstrip("]")
    found = pd.to_datetime(pd.Series(values, dtype=object), format="ISO8601", utc=bool(zone))
    return (found.dt.tz_convert(zone) if zone else found).astype(spec["dtype"])


def _category(values: list[Any], spec: Json) -> Any:
    import pandas as pd

    known = set(spec["categories"])
    dtype = pd.CategoricalDtype(pd.Index(spec["categories"], dtype=spec["categories_dtype"]), spec["ordered"])
    return pd.Categorical([value if value in known else None for value in values], dtype=dtype)


_RESTORE: dict[str, Callable[[list[Any], Json], Any]] = {
    "number": _number, "integer": _number, "boolean": _number, "text": _text, "datetime": _datetime, "category": _category,
}  # fmt: skip


# -- data -> JSON ---------------------------------------------------------------------------------------------


def plain(values: Any) -> list[Any]:
    """A column as JSON values; what is missing is None. Raises Unfit for a value that JSON cannot carry."""
    quick = _quick(values, getattr(values, "dtype", None))
    return [scalar(value) for value in values] if quick is None else quick


def _quick(values: Any, dtype: Any) -> list[Any] | None:
    """Numbers and flags of numpy and pandas' texts, all at once; None for what is looked at one by one, as infinity is."""
    kind = dtype.kind if type(dtype).__module__.partition(".")[0] == "numpy" else "str" if dtype == "str" else ""
    if kind not in ("i", "u", "b", "f", "str"):
        return None
    found: list[Any] = values.tolist()
    if kind == "str":
        return [None if value is None or value != value else value for value in found]
    if kind != "f" or all(map(math.isfinite, found)):
        return found
    return None if any(map(math.isinf, found)) else [None if value != value else value for value in found]


def scalar(value: Any) -> Any:
    """One value as JSON."""
    if value is None or isinstance(value, (str, bool)):
        return value if type(value) in (str, bool, type(None)) else str(value)
    if hasattr(value, "isoformat"):
        return None if value != value else value.isoformat()
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if type(value).__module__ == "numpy":
        if value.dtype.kind == "M":
            return None if value != value else str(value)
        value = value.item()
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if math.isinf(value):
            raise Unfit(f"{value} cannot travel: JSON has no infinity")
        return None if value != value else float(value)
    raise Unfit(f"a value of type {type(value).__name__} cannot travel as JSON")


def predictions_of(value: Any) -> list[Any]:
    """An answer of the model, one JSON value for each row: a list of lists for two dimensions, of objects for a frame."""
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        names = [str(label) for label in value.columns]
        columns = [plain(value.iloc[:, i]) for i in range(len(names))]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    if getattr(value, "ndim", 1) == 2:
        return [plain(row) for row in value]
    if getattr(value, "ndim", 1) != 1 or not hasattr(value, "__len__") or isinstance(value, (str, bytes, Mapping)):
        raise Unfit(f"a {type(value).__name__} is no answer: a Series, an array, a list or a DataFrame is needed, one entry a row")
    return [nested(entry) for entry in value] if isinstance(value, list) else plain(value)


def nested(value: Any) -> Any:
    """One entry of a list as JSON: a value, or an object or list of them."""
    if type(value) is dict and all(type(key) is str for key in value):
        return {key: nested(entry) for key, entry in value.items()}
    return [nested(entry) for entry in value] if type(value) is list else scalar(value)


def form_of(value: Any) -> Json:
    """What an answer is: its kind, dtype and, for a frame, its columns. Lengths of fixed-width text are not part of it."""
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        columns = [column_of(value.iloc[:, i], label) for i, label in enumerate(value.columns)]
        return {"kind": "frame", "dtype": "", "columns": columns, "labels": labels_of(value.columns)}
    if hasattr(value, "iloc"):
        return {"kind": "series", **column_of(value, value.name)}
    if isinstance(value, (list, tuple)):
        nan = None not in value and any(type(entry) is float and entry != entry for entry in value)
        return {"kind": "list", "dtype": ""} | ({"missing": "nan"} if nan else {})
    found: Json = {"kind": "array", "dtype": _width(str(value.dtype)), **_missing(value.ravel())}
    return found if value.ndim == 1 else found | {"width": int(value.shape[1])}


def labels_of(index: Any) -> Json:
    """What the labels of an answer's columns are together."""
    name = {} if index.name is None else {"name": scalar(index.name)}
    return {"range": True, **name} if type(index).__name__ == "RangeIndex" else {"dtype": str(index.dtype), **name}


def column_of(series: Any, label: Any) -> Json:
    """dtype and label of a Series; of a category its categories too."""
    found: Json = {"dtype": _width(str(series.dtype)), **_missing(series)}
    if label is not None:
        found["name"] = str(label)
        if not isinstance(label, str):
            try:
                found["label"] = scalar(label)
            except Unfit as error:
                raise Unfit(f"the label {label!r} of a column cannot travel as JSON; rename it") from error
    if found["dtype"] == "category":
        categories = series.cat.categories
        found |= {"categories": plain(categories), "categories_dtype": str(categories.dtype), "ordered": bool(series.cat.ordered)}
    return found


def _missing(values: Any) -> Json:
    """What stands for a missing value in a column of objects, where one is missing."""
    if str(values.dtype) != "object":
        return {}
    if any(value is None for value in values):
        return {"missing": "none"}
    return {"missing": "nan"} if any(value != value for value in values) else {}


def _width(dtype: str) -> str:
    """``<U9`` is ``str``: how long texts are depends on the rows."""
    return "<U" if dtype.startswith("<U") else dtype


def failure(error: BaseException, folder: Path = FOLDER) -> Json:
    """An error with the last line of the packaged code that was running."""
    line = ""
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        if path.parent == folder and path.name not in ("bridge.py", "service.py"):
            line = f"{path.name}:{frame.lineno}: {(frame.line or linecache.getline(frame.filename, frame.lineno or 0)).strip()}"
    return {"type": type(error).__name__, "message": str(error), "line": line, "lacks": lacks(error)}


def lacks(error: BaseException | None) -> list[str]:
    """The modules whose absence an error tells, itself or by what it was raised from."""
    found: list[str] = []
    while error is not None:
        if isinstance(error, ImportError) and error.name and error.name not in found:
            found.append(error.name)
        error = error.__cause__ or error.__context__
    return found
