"""``nbml.toml``: one typed table of the keys, their defaults, and where each value came from.

The file is committed and holds no secrets. Secrets come from the environment only.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbml import errors

FILE = "nbml.toml"
#: the line that shows what is wrong in the file, and every key that there is
SHOW = "%nbml config"


@dataclass(frozen=True)
class Key:
    """One key of nbml.toml. ``kind`` is str, int, bool, list (of str), duration or size."""

    name: str
    kind: str
    default: Any
    meaning: str
    choices: tuple[str, ...] = ()


KEYS: tuple[Key, ...] = (
    Key("data.private", "list", (), "columns whose values are never shown, logged or sent"),
    Key("validation.suites", "str", "", "folder of the project in which suites live as NAME.expect"),
    Key("validation.min_rows", "int", 200, "rows below which a drift expectation answers 'not enough rows'"),
    Key("tracking.to", "list", (), "trackers that hear of every run"),
    Key("tracking.send", "list", ("params", "metrics"), "what leaves for a tracker", ("params", "metrics", "code", "samples", "figures")),
    Key("deploy.token", "bool", False, "require a token on loopback too"),
    Key("deploy.port", "int", 0, "port of local deployments; 0 takes a free one"),
    Key("log.days", "int", 30, "days that traffic is kept"),
    Key("log.size", "size", "1GB", "size at which the oldest traffic goes"),
    Key("monitor.window", "duration", "5m", "how long a window of traffic is"),
    Key("monitor.window_rows", "int", 1000, "rows after which a window closes earlier"),
    Key("retrain.when", "str", "", "when retraining is proposed", ("", "drift")),
)
#: tables of free names: [alerts.NAME]
FREE = ("alerts",)

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZES = {"": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


@dataclass(frozen=True)
class Settings:
    """The values in force. ``origin`` says for each key "default" or "nbml.toml"."""

    values: Mapping[str, Any]
    origin: Mapping[str, str]
    free: Mapping[str, Mapping[str, Any]]

    def __getitem__(self, key: str) -> Any:
        return self.values[key]


def defaults() -> Settings:
    """The values in force where there is no nbml.toml."""
    return Settings({key.name: key.default for key in KEYS}, {key.name: "default" for key in KEYS}, {})


def load(root: Path) -> Settings:
    """Read ``root/nbml.toml``. Raises errors.BadArgument naming the key, what was found and what is allowed."""
    path = root / FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except tomllib.TOMLDecodeError as error:
        raise errors.BadArgument(f"{FILE} cannot be read: {error}", next=SHOW) from error
    except (OSError, UnicodeDecodeError) as error:
        raise errors.BadArgument(f"{FILE} cannot be read: {error}", next=SHOW) from error
    found: dict[str, Any] = {}
    free: dict[str, Mapping[str, Any]] = {}
    for section, entries in table.items():
        if not isinstance(entries, dict):
            raise errors.BadArgument(f"{FILE}: {section!r} stands outside a table; known tables: {_sections()}", next=SHOW)
        if section in FREE:
            free[section] = entries
        else:
            found |= {f"{section}.{name}": value for name, value in entries.items()}
    known = {key.name: key for key in KEYS}
    for name, value in found.items():
        if name not in known:
            close = errors.nearest(name, known)
            raise errors.BadArgument(f"{FILE}: no setting {name!r}" + (f"; nearest: {close}" if close else ""), next=SHOW)
        _check(known[name], value)
    values = {key.name: found.get(key.name, key.default) for key in KEYS}
    origin = {key.name: FILE if key.name in found else "default" for key in KEYS}
    return Settings(values, origin, free)


def duration(text: str) -> float:
    """``"60s" "10m" "24h" "7d"`` in seconds. Raises errors.BadArgument."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", str(text).strip())
    if match is None:
        raise errors.BadArgument(f"{text!r} is no duration: a number and s, m, h or d, as in 60s, 10m, 24h, 7d")
    return float(match[1]) * _UNITS[match[2]]


def size(text: str) -> int:
    """``"1GB"`` in bytes. Raises errors.BadArgument."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|TB|)", str(text).strip())
    if match is None:
        raise errors.BadArgument(f"{text!r} is no size: a number and B, kB, MB, GB or TB, as in 1GB")
    return int(float(match[1]) * _SIZES[match[2]])


def _sections() -> str:
    return ", ".join(sorted({key.name.partition(".")[0] for key in KEYS} | set(FREE)))


def _check(key: Key, value: Any) -> None:
    kinds: dict[str, Any] = {"str": str, "int": int, "bool": bool, "list": list}
    if key.kind in ("duration", "size"):
        try:
            (duration if key.kind == "duration" else size)(value)
        except errors.BadArgument as error:
            raise errors.BadArgument(f"{FILE}: {key.name} = {error.message}", next=SHOW) from error
    elif not isinstance(value, kinds[key.kind]) or (key.kind == "int" and isinstance(value, bool)):
        raise errors.BadArgument(f"{FILE}: {key.name} = {value!r}: a value of type {key.kind} is needed", next=SHOW)
    elif key.kind == "list" and not all(isinstance(entry, str) for entry in value):
        raise errors.BadArgument(f"{FILE}: {key.name} = {value!r}: a list of texts is needed", next=SHOW)
    elif key.choices and not set(value if key.kind == "list" else [value]) <= set(key.choices):
        allowed = ", ".join(map(repr, key.choices))
        raise errors.BadArgument(f"{FILE}: {key.name} = {value!r}: one of {allowed} is needed", next=SHOW)
