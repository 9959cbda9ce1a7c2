"""Switches of libraries that the notebook has set otherwise than they are by themselves: the module sets them too."""

from __future__ import annotations

import ast
import builtins
import decimal
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml.slicing import constants
from nbml.slicing import statements as texts

if TYPE_CHECKING:
    from nbml.slicing.cutting import Cutter

#: what numpy does with floating-point errors, and scikit-learn's switches, as the libraries come
NUMPY = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
#: distributions that compute by numpy, whose switches hold for them too
_COMPUTE = frozenset({"numpy", "pandas", "scipy", "scikit-learn", "xgboost", "lightgbm", "statsmodels"})
#: options of pandas that change how it computes; the others how it shows
_COMPUTES = ("mode.", "future.", "compute.", "string.")
_HEAD = '''
def {name}():
    """What the notebook has set otherwise than the libraries are by themselves."""
{body}


{name}()
'''.strip()


def put(cut: Cutter, source: str) -> str:
    """The module's text with a function that sets the switches, called before anything else."""
    lines = [line for found in (_numpy, _sklearn, _pandas, _torch, _decimal, _warnings, _locale, _zone, _recursion) for line in found(cut)]
    if not lines:
        return source
    modules = sorted({line.partition("|")[0] for line in lines if line.partition("|")[0]})
    body = [f"import {module}" for part in modules for module in part.split()]
    inner = "\n".join(f"    {line}" for line in [*dict.fromkeys(body), "", *(line.partition("|")[2] for line in lines)])
    name = "_switches" if "_switches" not in source else cut.free("switches")
    return texts.under_head(source, _HEAD.format(name=name, body=inner.replace("    \n", "\n")), 2)


# Each gives lines "modules to import|statement".


def _pinned(cut: Cutter) -> set[str]:
    return {line.partition("==")[0] for line in cut.belongings.requirements}


def _uses(cut: Cutter, *modules: str) -> bool:
    return any(known.partition(".")[0] in modules for known in cut.belongings.known) or any(
        module.partition(".")[0] in modules for module in cut.imports.modules()
    )


def _numpy(cut: Cutter) -> Iterator[str]:
    numpy = sys.modules.get("numpy")
    if numpy is None or not _pinned(cut) & _COMPUTE:
        return
    now = numpy.geterr()
    changed = ", ".join(f'{key}="{now[key]}"' for key, value in NUMPY.items() if now.get(key, value) not in (value, "call", "log"))
    if changed:
        cut.belongings.note("numpy", "numpy.seterr")
        yield f"numpy|numpy.seterr({changed})"


def _sklearn(cut: Cutter) -> Iterator[str]:
    config = sys.modules.get("sklearn._config")
    if config is None or not _uses(cut, "sklearn"):
        return
    defaults = getattr(config, "_global_config", {})  # which set_config leaves alone: each thread has its own copy
    for key, now in config.get_config().items():
        if key in defaults and now != defaults[key] and isinstance(now, constants._ATOMS):
            yield f"sklearn|sklearn.set_config({key}={constants._atom(now)})"


def _pandas(cut: Cutter) -> Iterator[str]:
    pandas = sys.modules.get("pandas")
    known = getattr(sys.modules.get("pandas._config.config"), "_registered_options", {})
    if pandas is None:
        return
    for key, option in known.items():
        if not key.startswith(_COMPUTES) and not _uses(cut, "pandas"):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            now = pandas.get_option(key)
        if now != option.defval and isinstance(now, constants._ATOMS) and not key.startswith(("plotting.", "io.")):
            cut.belongings.note("pandas", "pandas.set_option")
            yield f'pandas|pandas.set_option("{key}", {constants._atom(now)})'


def _torch(cut: Cutter) -> Iterator[str]:
    torch = sys.modules.get("torch")
    if torch is not None and _uses(cut, "torch") and str(torch.get_default_dtype()) != "torch.float32":
        yield f"torch|torch.set_default_dtype({torch.get_default_dtype()})"


def _decimal(cut: Cutter) -> Iterator[str]:
    if not _uses(cut, "decimal") and not any("decimal" in module for module in cut.imports.modules()):
        return
    now, plain = decimal.getcontext(), decimal.Context()
    if now.prec != plain.prec:
        yield f"decimal|decimal.getcontext().prec = {now.prec}"
    if now.rounding != plain.rounding:
        yield f"decimal|decimal.getcontext().rounding = decimal.{now.rounding}"
    for key in ("Emin", "Emax", "capitals", "clamp"):
        if getattr(now, key) != getattr(plain, key):
            yield f"decimal|decimal.getcontext().{key} = {getattr(now, key)}"
    for signal, on in now.traps.items():
        if bool(on) != bool(plain.traps[signal]):
            yield f"decimal|decimal.getcontext().traps[decimal.{signal.__name__}] = {bool(on)}"


def _warnings(cut: Cutter) -> Iterator[str]:
    """The filters that cells set at their top level and that still hold; IPython and libraries set others."""
    for statement in cut.statements.all:
        call = statement.node.value if isinstance(statement.node, ast.Expr) else None
        if not isinstance(call, ast.Call):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name not in ("filterwarnings", "simplefilter"):
            continue
        given = dict(zip(_ORDER[name], call.args, strict=False)) | {k.arg: k.value for k in call.keywords if k.arg}
        action = texts.literal(given.get("action"))
        category = given.get("category")
        kind = Warning if category is None else cut.homes.named(category) or getattr(builtins, ast.unparse(category), None)
        message, module = (texts.literal(given.get(key)) for key in ("message", "module"))
        if not isinstance(kind, type) or not any(f[0] == action and f[2] is kind and _text(f[1]) == message for f in warnings.filters):
            continue
        home = "" if kind.__module__ == "builtins" else kind.__module__
        label = kind.__name__ if not home else f"{home}.{kind.__name__}"
        more = "".join(f", {key}={value!r}" for key, value in (("message", message), ("module", module)) if value)
        yield f'{f"{home} " if home else ""}warnings|warnings.filterwarnings("{action}"{more}, category={label})'


_ORDER = {"filterwarnings": ("action", "message", "category", "module", "lineno", "append"), "simplefilter": ("action", "category")}


def _text(pattern: Any) -> str:
    return pattern if isinstance(pattern, str) else getattr(pattern, "pattern", "") or ""


def _locale(cut: Cutter) -> Iterator[str]:
    import locale

    for name in ("LC_COLLATE", "LC_MONETARY", "LC_NUMERIC", "LC_TIME"):
        category = getattr(locale, name, None)
        now = "C" if category is None else locale.setlocale(category)
        if now not in ("C", "POSIX"):
            yield f'locale|locale.setlocale(locale.{name}, "{now}")'


def _zone(cut: Cutter) -> Iterator[str]:
    """The time zone, where the notebook chose it or the module asks the standard library for local times."""
    now = os.environ.get("TZ")
    if now is not None and (now != _at_start("TZ") or _uses(cut, "time", "datetime")):
        yield f'os time|os.environ["TZ"] = {now!r}'
        yield "time|time.tzset()"


def _at_start(name: str) -> str | None:
    """A variable as this process was given it; as it is now where that cannot be known."""
    try:
        entries = Path("/proc/self/environ").read_bytes().split(b"\0")
    except OSError:
        return os.environ.get(name)
    found = [entry.partition(b"=")[2] for entry in entries if entry.partition(b"=")[0] == name.encode()]
    return os.fsdecode(found[0]) if found else None


def _recursion(cut: Cutter) -> Iterator[str]:
    """Where a cell set it: front ends have their own."""
    calls = [n for s in cut.statements.all for n in ast.walk(s.node) if isinstance(n, ast.Attribute) and n.attr == "setrecursionlimit"]
    if calls:
        yield f"sys|sys.setrecursionlimit({sys.getrecursionlimit()})"
