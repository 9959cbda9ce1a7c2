"""nbml.toml: typed keys, where each came from, and messages that name what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbml import errors, settings


def load(tmp_path: Path, text: str) -> settings.Settings:
    (tmp_path / "nbml.toml").write_text(text)
    return settings.load(tmp_path)


def test_defaults_and_where_they_came_from(tmp_path: Path) -> None:
    found = settings.load(tmp_path)
    assert found["tracking.send"] == ("params", "metrics")
    assert set(found.origin.values()) == {"default"}


def test_values_of_the_file(tmp_path: Path) -> None:
    found = load(tmp_path, '[tracking]\nto = ["wandb"]\n[log]\nsize = "2GB"\n[alerts.team]\nkind = "webhook"\n')
    assert found["tracking.to"] == ["wandb"]
    assert (found.origin["tracking.to"], found.origin["log.days"]) == ("nbml.toml", "default")
    assert found.free["alerts"] == {"team": {"kind": "webhook"}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[trackin]\nto = []", "nbml.toml: no setting 'trackin.to'; nearest: tracking.to"),
        ('[log]\ndays = "30"', "nbml.toml: log.days = '30': a value of type int is needed"),
        ("[deploy]\ntoken = 1", "nbml.toml: deploy.token = 1: a value of type bool is needed"),
        ('[monitor]\nwindow = "5 minutes"', "nbml.toml: monitor.window = '5 minutes' is no duration: a number and s, m, h or d, as in "
         "60s, 10m, 24h, 7d"),
        ('[retrain]\nwhen = "always"', "nbml.toml: retrain.when = 'always': one of '', 'drift' is needed"),
        ("[data]\nprivate = [1]", "nbml.toml: data.private = [1]: a list of texts is needed"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(errors.BadArgument) as caught:
        load(tmp_path, text)
    assert str(caught.value) == f"{message}\nTry: %nbml config"


def test_broken_toml_says_where(tmp_path: Path) -> None:
    with pytest.raises(errors.BadArgument, match=r"^nbml.toml cannot be read: .*line 1"):
        load(tmp_path, "[data\n")


def test_durations_and_sizes() -> None:
    assert [settings.duration(t) for t in ("60s", "10m", "24h", "7d", "1.5h")] == [60, 600, 86400, 604800, 5400]
    assert [settings.size(t) for t in ("10", "3kB", "1GB")] == [10, 3000, 10**9]
    for bad in ("", "60", "s", "-1s", "1w"):
        with pytest.raises(errors.BadArgument):
            settings.duration(bad)
