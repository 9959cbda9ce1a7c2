"""How a value becomes a file: the safest format that keeps it exactly.

Arrays are .npy, frames and Series Parquet, large plain containers JSON; all else is skops, which loads only types that are
listed, and pickle where skops does not keep the value. What a format gives back is compared with the value before it is taken.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import sys
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nbml import errors
from nbml.slicing import constants, objects

SUFFIXES = {"npy": ".npy", "parquet": ".parquet", "json": ".json", "skops": ".skops", "torch": ".pt", "pickle": ".pkl"}
#: nodes of skops that give back what was written, whatever they hold
_SURE = {"JsonNode", "DTypeNode", "TreeNode", "LossNode", "RandomStateNode", "RandomGeneratorNode", "SparseMatrixNode", "BytesNode"}
_BUILTIN = {"ListNode": "list", "TupleNode": "tuple", "SetNode": "set"}
#: nodes whose identity says nothing: their ids would depend on which texts happen to be one object
_ATOMS = {"JsonNode", "TypeNode", "FunctionNode"}
#: of every file in an archive, so that equal values are equal bytes
_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Written:
    """A value as a file. ``types`` are what loading may make beyond what the format always may; ``why`` says why it is a pickle."""

    content: bytes
    format: str
    why: str = ""
    types: tuple[str, ...] = ()
    #: what follows the call that loads it, in the module
    after: str = ""
    #: modules that loading imports
    modules: frozenset[str] = frozenset()


def write(value: Any, module: str, name_of: Callable[[Any], str], named: Callable[[str], Any], why: str) -> Written:
    """``value`` in the safest format that keeps it. What the notebook defines lives in ``module`` (see objects.rehomed)."""
    for attempt in (_array, _pandas, _plain):
        found = attempt(value)
        if found is not None:
            return found
    with objects.rehomed(value, module, name_of, named, why) as pickled:
        names = objects.names_in(pickled.content)
        modules = frozenset(home for home, _ in names)
        tried = _network(value) or _skops(value, odd=pickled.odd)
        if not isinstance(tried, Written):
            _loads(pickled.content, why)
    if isinstance(tried, Written):
        return Written(tried.content, tried.format, "", tried.types, "", modules | {tried.format})
    if any(home.partition(".")[0] == "pandas" for home in modules):
        tried = "it holds pandas objects, which skops does not write"
    return Written(pickled.content, "pickle", tried, tuple(sorted(f"{home}.{name}" for home, name in names)), "", modules)


def _loads(content: bytes, why: str) -> None:
    """Refuse what is written and cannot be read: classes may say that they can be pickled, and be wrong."""
    try:
        pickle.loads(content)  # noqa: S301 - written a moment ago, of the notebook's own object
    except Exception as error:  # unpickling runs any code
        told = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        raise errors.SliceRefused(f"{why} cannot be made again from a pickle of it ({told}); see to its class's __reduce__") from error


# -- arrays, frames, plain containers -------------------------------------------------------------------------


def _array(value: Any) -> Written | None:
    numpy = sys.modules.get("numpy")
    if numpy is None or type(value) is not numpy.ndarray or value.dtype.hasobject or value.dtype.metadata:
        return None
    buffer = io.BytesIO()
    try:
        numpy.save(buffer, value, allow_pickle=False)
        back = numpy.load(io.BytesIO(buffer.getvalue()), allow_pickle=False)
    except (ValueError, TypeError):  # a dtype that the format does not know
        return None
    if back.dtype != value.dtype or back.shape != value.shape or back.tobytes() != value.tobytes():
        return None
    return Written(buffer.getvalue(), "npy", modules=frozenset({"numpy"}))


def _pandas(value: Any) -> Written | None:
    pandas = sys.modules.get("pandas")
    if pandas is None or type(value) not in (pandas.DataFrame, pandas.Series):
        return None
    after = ""
    if type(value) is pandas.Series:
        if value.name is not None and type(value.name) not in (str, int):
            return None
        after = ".iloc[:, 0]" + ("" if type(value.name) is str else f".rename({value.name!r})")
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import pyarrow.parquet

            frame = value.to_frame(value.name if type(value.name) is str else "value") if after else value
            frame.to_parquet(buffer, engine="pyarrow")
            # as the module reads it: see program.py
            back = pyarrow.parquet.ParquetFile(io.BytesIO(buffer.getvalue())).read(use_threads=False).to_pandas(use_threads=False)
            if after:
                back = back.iloc[:, 0].rename(value.name)
            kept = _same_table(value, back)
        except Exception:  # what Arrow cannot hold it refuses with many types of error
            return None
    return Written(buffer.getvalue(), "parquet", after=after, modules=frozenset({"pandas", "pyarrow"})) if kept else None


def _same_table(one: Any, two: Any) -> bool:
    """Equal values, dtypes, index, names and attributes."""
    if type(one) is not type(two) or one.shape != two.shape or not constants.equal(one.attrs, two.attrs) or one.flags != two.flags:
        return False
    if not _same_index(one.index, two.index):
        return False
    if not hasattr(one, "columns"):
        return constants.equal(one.name, two.name) and _same_column(one, two)
    if not _same_index(one.columns, two.columns):
        return False
    return all(_same_column(one.iloc[:, i], two.iloc[:, i]) for i in range(one.shape[1]))


def _same_index(one: Any, two: Any) -> bool:
    if type(one) is not type(two) or not constants.equal(list(one.names), list(two.names)):
        return False
    if hasattr(one, "levels"):
        return all(_same_index(one.get_level_values(i), two.get_level_values(i)) for i in range(one.nlevels)) and one.nlevels == two.nlevels
    if hasattr(one, "step") and (one.start, one.stop, one.step) != (two.start, two.stop, two.step):
        return False
    return getattr(one, "freq", None) == getattr(two, "freq", None) and _same_column(one.to_series(), two.to_series())


def _same_column(one: Any, two: Any) -> bool:
    if one.dtype != two.dtype or repr(getattr(one.dtype, "tz", None)) != repr(getattr(two.dtype, "tz", None)):
        return False
    if one.dtype == object:
        return constants.equal(one.tolist(), two.tolist())
    if hasattr(one.dtype, "categories"):
        dtypes = _same_index(one.cat.categories, two.cat.categories) and one.cat.ordered == two.cat.ordered
        return bool(dtypes and (one.cat.codes.to_numpy() == two.cat.codes.to_numpy()).all())
    return bool(one.array.equals(two.array))


def _plain(value: Any) -> Written | None:
    """A list or dict of JSON values in which nothing stands twice, since JSON does not say what is one object."""
    if type(value) not in (list, dict):
        return None
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if type(found) not in (list, dict):
            if type(found) not in (int, float, str, bool, type(None)):
                return None
            continue
        if id(found) in seen or (type(found) is dict and not all(type(key) is str for key in found)):
            return None
        seen.add(id(found))
        waiting += found.values() if type(found) is dict else found
    try:
        content = json.dumps(value).encode()
        return Written(content, "json") if constants.equal(json.loads(content), value) else None
    except (RecursionError, ValueError):  # too deep; an int of more digits than Python reads
        return None


# -- PyTorch ---------------------------------------------------------------------------------------------------


def _network(value: Any) -> Written | str:
    """A torch.nn.Module by torch.save, loaded with ``weights_only`` and exactly its own types; why not; "" for other values."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.nn.Module):
        return ""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            torch.save(value, buffer)
            types = sorted(torch.serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(buffer.getvalue())))
            parts = [(name.rpartition("."), name) for name in types]
            listed = [(getattr(sys.modules[home], last), name) for (home, _, last), name in parts]
            with torch.serialization.safe_globals(listed):
                back = torch.load(io.BytesIO(buffer.getvalue()), weights_only=True, map_location="cpu")
            one, two = value.state_dict(), back.state_dict()
            kept = list(one) == list(two) and all(torch.equal(one[key].cpu(), two[key]) for key in one) and repr(back) == repr(value)
        except Exception as error:  # any: it calls the methods of the value's classes
            return f"torch cannot load it from weights alone: {(str(error).splitlines() or [''])[0]}"
    return Written(buffer.getvalue(), "torch", types=tuple(types)) if kept else "torch does not keep it exactly"


# -- skops ----------------------------------------------------------------------------------------------------


class _Files(dict[str, bytes]):
    """What skops takes for the archive that it writes into."""

    def writestr(self, name: str, content: Any) -> None:
        self[name] = bytes(content)

    def namelist(self) -> Mapping[str, bytes]:
        return self


def _skops(value: Any, *, odd: bool) -> Written | str:
    """``value`` by skops, or why not. ``odd``: it holds subclasses of plain types, so that only loading it tells."""
    import skops
    import skops.io

    # skops.io.dumps writes the schema with an indent by json's slow encoder, and names files by addresses in memory: not used.
    # skops.io._utils is private, so the version is pinned below the next minor one
    from skops.io._utils import SaveContext, get_state

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            files = _Files()
            context = SaveContext(zip_file=files)
            schema = {**get_state(value, context), "protocol": context.protocol, "_skops_version": skops.__version__}
            tidied = _Tidied(schema)
            content = tidied.archive(files)
            types = skops.io.get_untrusted_types(data=tidied.kinds())
            if odd or tidied.unsure:
                back = skops.io.loads(content, trusted=types)
                if fingerprint(back) != fingerprint(value):
                    return "skops does not keep it exactly"
        except RecursionError:
            return "skops cannot write what holds itself"
        except Exception as error:  # any: it calls the methods of the value's classes
            return f"skops cannot write it: {type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
    return Written(content, "skops", types=tuple(types))


class _Tidied:
    """A schema of skops in which ids and files are numbered as they come; ``unsure`` where it may not give the value back."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema
        self.unsure = False
        self.ids: dict[int, int] = {}
        self.names: dict[str, str] = {}
        waiting: list[Any] = [schema]
        while waiting:
            found = waiting.pop()
            if isinstance(found, dict):
                if isinstance(found.get("__loader__"), str):
                    self._node(found)
                waiting += reversed(found.values())
            elif isinstance(found, (list, tuple)):
                waiting += reversed(found)

    def _node(self, node: dict[str, Any]) -> None:
        if node["__loader__"] in _ATOMS:
            node.pop("__id__", None)
        elif "__id__" in node:
            node["__id__"] = self.ids.setdefault(node["__id__"], len(self.ids) + 1)
        file = node.get("file")
        if isinstance(file, str):
            node["file"] = self.names.setdefault(file, f"{len(self.names) + 1}.{file.rpartition('.')[2]}")
        self.unsure = self.unsure or not _sure(node)

    def archive(self, files: Mapping[str, bytes]) -> bytes:
        return _archive({new: files[old] for old, new in self.names.items()}, self.schema)

    def kinds(self) -> bytes:
        """A small archive of the same types: of a hundred trees one, and no arrays."""
        return _archive(dict.fromkeys(self.names.values(), b""), _representative(self.schema)[0])


def _archive(files: Mapping[str, bytes], schema: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), content)
        archive.writestr(zipfile.ZipInfo("schema.json", _DATE), json.dumps(schema))
    return buffer.getvalue()


def _representative(found: Any, key: str = "") -> tuple[Any, int]:
    """A part of a schema with one entry of each kind in its lists, and a number that is equal for parts of equal types."""
    if isinstance(found, dict):
        parts = {name: _representative(part, name) for name, part in found.items()}
        return {name: part for name, (part, _) in parts.items()}, hash(tuple((name, kind) for name, (_, kind) in parts.items()))
    if isinstance(found, (list, tuple)):
        kinds = {kind: part for part, kind in map(_representative, reversed(found))}
        return list(kinds.values()), hash(frozenset(kinds))
    return found, hash(found) if key in ("__loader__", "__module__", "__class__", "func", "type") else 0


def _sure(node: Mapping[str, Any]) -> bool:
    """Whether a node gives back what it was made of, as far as it alone tells."""
    loader, home, name = node["__loader__"], node["__module__"], node["__class__"]
    if loader in _BUILTIN:
        return home == "builtins" and name == _BUILTIN[loader]
    if loader == "DictNode":
        keys = [(key["__module__"], key["__class__"]) for key in node["key_types"]["content"]]
        known = all(module == "numpy" or (module == "builtins" and kind in ("str", "int", "float")) for module, kind in keys)
        return name in ("dict", "OrderedDict") and known and len({str(key) for key in node["content"]}) == len(keys)
    if loader == "NdArrayNode":
        return home.partition(".")[0] == "numpy" and (node["type"] == "numpy" or len(node["shape"]["content"]) == 1)
    if loader == "ObjectNode":
        return home.startswith("sklearn.")
    if loader == "TypeNode":
        return home in ("builtins", "numpy")
    return loader in _SURE


def fingerprint(value: Any) -> bytes:
    """Equal for equal values of equal types, whatever in them is one object. Raises where they hold themselves."""
    numpy = sys.modules.get("numpy")

    def visit(found: Any) -> Any:
        if numpy is not None and type(found) is numpy.ndarray and not found.dtype.hasobject:
            return str, (f"{found.dtype!r} {found.shape} {hashlib.sha256(found.tobytes()).hexdigest()}",)
        return NotImplemented

    return hashlib.sha256(objects.flat(value, visit)).digest()
