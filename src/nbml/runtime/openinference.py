"""The Open Inference Protocol, version 2, over REST: tensors to the columns of a request, answers to tensors.

KServe, Seldon, MLServer and Triton clients speak it. One input for each column (shape [n] or [n, 1]), or one input of all
columns in their order ([n, columns], for numbers). Tensors are JSON, or binary after the JSON as in Triton's extension
"binary_tensor_data". https://kserve.github.io/website/latest/modelserving/data_plane/v2_protocol/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import answers, tensors
from .answers import Answer
from .columns import Column
from .plan import LONGEST_ID, MOST_ROWS, Batch, Plan, Rejected, nearest, new_ids
from .tensors import Tensor

EXTENSIONS = ["binary_tensor_data"]


@dataclass(frozen=True)
class Asked:
    """A request: its batch, its id, the outputs that are wanted (None: predictions and probabilities), those in binary."""

    batch: Batch
    id: str
    outputs: tuple[str, ...] | None
    binary: frozenset[str]
    #: the key's columns, which the model does not take
    keys: Mapping[str, Sequence[Any]]


class Inference:
    """The protocol's side of one service: what it says of itself, what it reads and writes. Answers are bodies of HTTP."""

    def __init__(self, manifest: Mapping[str, Any], plan: Plan) -> None:
        self.plan, self.name, self.version = plan, str(manifest["service"]), str(manifest["version"])
        self.ref = f"{self.name}@{self.version}"
        self.output: Mapping[str, Any] = manifest.get("output") or {}
        self.endpoint = f"/v2/models/{self.name}/infer"
        self.server: dict[str, Any] = {"name": self.name, "version": self.ref, "extensions": EXTENSIONS}
        self.model: dict[str, Any] = {
            "name": self.name, "versions": [self.version], "platform": "nbml",
            "inputs": [{"name": c.name, "datatype": tensors.datatype_of(c), "shape": [-1]} for c in plan.inputs],
            "outputs": self._outputs(),
        }  # fmt: skip

    def _outputs(self) -> list[dict[str, Any]]:
        kinds = self.output
        fields = kinds.get("columns", ()) if kinds.get("kind") == "frame" else ()
        columns = [(f"predictions.{field['name']}", field, [-1]) for field in fields if "name" in field]
        shape = [-1, kinds["width"]] if "width" in kinds else [-1]
        found: list[dict[str, Any]] = [
            {"name": name, "datatype": tensors.datatype_of_dtype(str(spec.get("dtype", ""))), "shape": form}
            for name, spec, form in columns or [("predictions", kinds, shape)]
        ]
        if kinds.get("classes") is not None:
            classes = {"classes": answers.dumps(kinds["classes"]).decode()}
            found.append({"name": "probabilities", "datatype": "FP64", "shape": [-1, len(kinds["classes"])], "parameters": classes})
        return [*found, {"name": "ids", "datatype": "BYTES", "shape": [-1]}]

    def place(self, path: str) -> tuple[str, str | None]:
        """What a path below /v2 asks: ("server" | "live" | "ready" | "model" | "model ready" | "infer" | "", why not)."""
        parts = path.split("/")[2:]
        if parts in ([], [""]):
            return "server", None
        if parts[0] == "health" and len(parts) == 2 and parts[1] in ("live", "ready"):
            return parts[1], None
        if parts[0] != "models" or len(parts) < 2:
            return "", f"nothing is at {path[:200]}; GET /v2, /v2/health/ready, /v2/models/{self.name}, POST {self.endpoint}"
        name, rest = parts[1], parts[2:]
        if name != self.name:
            return "", f"no model {name[:100]!r} is here; this is {self.name!r}, version {self.version}"
        if rest[:1] == ["versions"]:
            if len(rest) < 2 or rest[1] != self.version:
                return "", f"{self.name} has version {self.version} here, not {'/'.join(rest[1:2])[:100]!r}"
            rest = rest[2:]
        words = {(): "model", ("ready",): "model ready", ("infer",): "infer"}
        found = words.get(tuple(rest), "")
        return found, None if found else f"nothing is at {path[:200]}; POST {self.endpoint}"

    def said(self, place: str) -> bytes:
        """The answer to a GET."""
        content: dict[str, dict[str, Any]] = {
            "server": self.server, "live": {"live": True}, "ready": {"ready": True}, "model": self.model,
            "model ready": {"name": self.name, "ready": True},
        }  # fmt: skip
        return answers.dumps(content[place])

    # -- a request --------------------------------------------------------------------------------------------

    def read(self, body: bytes, head: bytes | None) -> Asked:
        """The request of a body; ``head``: how many bytes of it are JSON. Raises Rejected."""
        size = _size(head, len(body))
        content = answers.content(body[:size] if size < len(body) else body)
        if type(content) is not dict or type(content.get("inputs")) is not list or not content["inputs"]:
            raise Rejected(400, f"the body has no inputs; expected {self.example()}")
        rest = memoryview(body)[size:]
        found: list[Tensor] = []
        for entry in content["inputs"]:
            tensor, taken = tensors.read(entry, rest)
            rest = rest[taken:]
            found.append(tensor)
        if len(rest):
            raise Rejected(400, f"{len(rest)} bytes follow the last tensor")
        cells, rows = self._cells(found)
        name, ids = self._named(content.get("id"), cells, rows)
        outputs, binary = self._wanted(content)
        batch = self.plan.take(cells, ids, range(rows))
        keys = {key: cells[key] for key in self.plan.key if key in cells and key not in batch.columns}
        return Asked(batch, name, outputs, binary, keys)

    def example(self) -> str:
        """A body that has the right form."""
        first = self.model["inputs"][0]
        return f'{{"inputs": [{{"name": "{first["name"]}", "shape": [1], "datatype": "{first["datatype"]}", "data": [...]}}, ...]}}'

    def _cells(self, found: list[Tensor]) -> tuple[dict[str, Sequence[Any]], int]:
        """The columns, by their names or out of one tensor of all of them; and the number of rows."""
        inputs = self.plan.inputs
        names = [column.name for column in inputs]
        first = found[0]
        whole = len(found) == 1 and (len(names) == 1 or first.name not in names)
        if whole and (len(first.shape) == 2 or len(names) == 1):
            return self._whole(first)
        cells: dict[str, Sequence[Any]] = {}
        for tensor in found:
            if tensor.name not in names and tensor.name not in self.plan.key:
                close = nearest(tensor.name, names)
                hint = f"nearest: {close}" if close else f"the model takes {_few(names)}"
                raise Rejected(400, f"unknown input {tensor.name!r}; {hint}")
            if tensor.name in cells:
                raise Rejected(400, f"input {tensor.name!r} is there twice")
            if len(tensor.shape) != 1 and tensor.shape[1:] != [1]:
                raise Rejected(400, f"input {tensor.name!r} has shape {tensor.shape}; a column has [n] or [n, 1]")
            if tensor.shape[0] != first.shape[0]:
                raise Rejected(400, f"input {tensor.name!r} has {tensor.shape[0]} rows, and {first.name!r} has {first.shape[0]}")
            cells[tensor.name] = tensor.values
        missing = [name for name in names if name not in cells]
        if missing:
            raise Rejected(400, f"input {missing[0]!r} is missing; the model takes {_few(names)}")
        return cells, _rows(first)

    def _whole(self, tensor: Tensor) -> tuple[dict[str, Sequence[Any]], int]:
        """The columns of one tensor, row by row in the order of the inputs."""
        inputs, rows = self.plan.inputs, _rows(tensor)
        width = tensor.shape[1] if len(tensor.shape) == 2 else 1
        if width != len(inputs) or len(tensor.shape) > 2:
            taken = f"{len(inputs)} columns: {_few([column.name for column in inputs])}"
            raise Rejected(400, f"input {tensor.name!r} has shape {tensor.shape}; the model takes {taken}")
        other = next((column for column in inputs if width > 1 and column.family != "number"), None)
        if other is not None:
            raise Rejected(400, f"column {other.name!r} is no number; send one input for each column")
        return {column.name: _of_numbers(column, tensor.values[i::width]) for i, column in enumerate(inputs)}, rows

    def _named(self, given: Any, cells: Mapping[str, Sequence[Any]], rows: int) -> tuple[str, list[str] | None]:
        """The request's id, and the rows' where no key column gives them: the same for one row, with its number for more."""
        if given is not None and (type(given) is not str or len(given) > LONGEST_ID - 7):
            raise Rejected(400, f"id is to be a text of at most {LONGEST_ID - 7} characters")
        name = given or new_ids(1)[0]
        if any(key in cells for key in self.plan.key):
            return name, None
        return name, [name] if rows == 1 else [f"{name}/{i}" for i in range(rows)]

    def _wanted(self, content: Mapping[str, Any]) -> tuple[tuple[str, ...] | None, frozenset[str]]:
        """The outputs that a request names, and those that are to be binary."""
        known = [entry["name"] for entry in self.model["outputs"]]
        asked = content.get("outputs")
        every = _parameters(content, "the request").get("binary_data_output") is True
        if not asked and asked in (None, []):
            return None, frozenset(known) if every else frozenset()
        if type(asked) is not list:
            raise Rejected(400, "outputs are to be an array")
        binary: set[str] = set()
        for entry in asked:
            name = entry.get("name") if type(entry) is dict else None
            if type(name) is not str or name not in known:
                raise Rejected(400, f"no output {answers.dumps(name).decode()[:100]}; there are {_few(known)}")
            if _parameters(entry, f"output {name!r}").get("binary_data", every) is True:
                binary.add(name)
        return tuple(entry["name"] for entry in asked), frozenset(binary)

    # -- its answer -------------------------------------------------------------------------------------------

    def write(self, asked: Asked, answer: Answer) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        """The body of a 200, and the headers that a binary one has."""
        if len(answer.predictions) != asked.batch.rows:
            raise answers.BadAnswer(f"the model gave {len(answer.predictions)} predictions for {asked.batch.rows} rows")
        made: dict[str, Tensor] = {tensor.name: tensor for tensor in self._made(asked.batch, answer)}
        names = [name for name in made if name != "ids"] if asked.outputs is None else [name for name in asked.outputs if name in made]
        entries, parts = [], []
        for name in names:
            entry, part = tensors.write(made[name], binary=name in asked.binary)
            entries.append(entry)
            parts.append(part)
        more: dict[str, Any] = {"version": self.ref}
        if asked.batch.flags is not None:
            more["flags"] = answers.dumps(asked.batch.flags).decode()
        head = answers.dumps(
            {"model_name": self.name, "model_version": self.version, "id": asked.id, "parameters": more, "outputs": entries}
        )
        if not any(parts):
            return head, []
        headers = [(b"inference-header-content-length", b"%d" % len(head)), (b"content-type", b"application/octet-stream")]
        return b"".join([head, *parts]), headers

    def _made(self, batch: Batch, answer: Answer) -> list[Tensor]:
        values = _plain(answer.predictions)
        found: list[Tensor] = []
        if values and all(type(value) is dict for value in values):
            found += [Tensor.of(f"predictions.{name}", [value.get(name) for value in values]) for name in values[0]]
        else:
            found.append(Tensor.of("predictions", values))
        if answer.probabilities is not None:
            classes = {"classes": answers.dumps(answer.probabilities["classes"]).decode()}
            shares = Tensor.of("probabilities", _plain(answer.probabilities["values"]))
            found.append(Tensor(shares.name, shares.shape, "FP64", shares.values, classes))
        return [*found, Tensor.of("ids", list(batch.ids))]

    def logged(self, asked: Asked, answer: Answer) -> tuple[bytes, bytes]:
        """Request and answer as /predict would have had them: one form for all traffic."""
        batch = asked.batch
        columns = {**batch.columns, **asked.keys}
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        return answers.dumps({"rows": rows, "ids": batch.ids}), answers.answered(batch, answer, self.ref)


def refused(message: str, problems: Sequence[dict[str, Any]] = ()) -> bytes:
    """The body of every error of the protocol: a text. The problems of refused rows come beside it."""
    return answers.dumps({"error": message} | ({"problems": list(problems)} if problems else {}))


def _size(head: bytes | None, length: int) -> int:
    if head is None:
        return length
    if not head.isdigit() or int(head) > length:
        raise Rejected(400, f"Inference-Header-Content-Length is {head[:20].decode('latin-1')!r}; the body has {length} bytes")
    return int(head)


def _rows(tensor: Tensor) -> int:
    rows = tensor.shape[0]
    if rows == 0:
        raise Rejected(400, f"input {tensor.name!r} has no rows")
    if rows > MOST_ROWS:
        raise Rejected(413, f"{rows:,} rows; send at most {MOST_ROWS:,} at a time")
    return rows


def _of_numbers(column: Column, values: list[Any]) -> list[Any]:
    """A column of a tensor of numbers: true and false are 1 and 0 there."""
    if column.kind != "boolean":
        return values
    return [bool(value) if type(value) in (int, float) and value in (0, 1) else value for value in values]


def _parameters(entry: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    found = entry.get("parameters")
    if found is not None and type(found) is not dict:
        raise Rejected(400, f"the parameters of {what} are to be an object")
    return found or {}


def _plain(values: Any) -> list[Any]:
    return list(values.tolist()) if hasattr(values, "tolist") else list(values)


def _few(names: Sequence[str]) -> str:
    shown = [name if len(name) <= 60 else name[:60] + "..." for name in names[:5]]
    return ", ".join(shown) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
