"""``%nbml``, ``%nbml config`` and ``%nbml doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import nbml
from nbml import errors, store


def test_an_empty_project_says_what_to_begin_with(project: Path, shell: Any) -> None:
    status = nbml.status()
    assert repr(status) == f"project · {project} · nothing is stored yet\nNext: %nbml --help"
    shell.user_ns["df"] = pd.DataFrame({"a": [1]})
    assert nbml.status().next == "%nbml snapshot df"
    assert "df is a dataframe, not kept." in repr(nbml.status())
    assert list(project.iterdir()) == []


def test_the_state_of_a_project_and_one_next_step(project: Path) -> None:
    for rows in (3, 4):
        nbml.snapshot(pd.DataFrame({"a": range(rows)}), name="churn")
    found = store.current()
    found.add("run", "base", {"row": {"state": "well", "figure": "auc 0.9"}})
    service = found.add("service", "churn", {"row": {"state": "well", "figure": "3 kB"}})
    status = nbml.status()
    assert [(s.kind, s.count, s.newest.ref) for s in status.sections] == [
        ("service", 1, "churn@1"), ("run", 1, "base@1"), ("dataset", 1, "churn@2"),
    ]  # fmt: skip
    assert (status.next, status.why) == ("%nbml deploy churn", "churn@1 is proven, not deployed.")
    found.add("deployment", "churn", {"name": "churn"}, state="running", edges=[(service, "runs")])
    status = nbml.status()
    assert status.sections[0].names == ("churn",)
    assert status.next == "%nbml validate churn"
    assert "Deployments" in repr(status)


def test_config_says_where_each_value_came_from(project: Path) -> None:
    (project / "nbml.toml").write_text('[validation]\nmin_rows = 50\n[alerts.team]\nkind = "slack"\n')
    config = nbml.config()
    assert (config["validation.min_rows"], config.origin["validation.min_rows"]) == (50, "nbml.toml")
    assert (config["log.days"], config.origin["log.days"]) == (30, "default")
    text = repr(config)
    assert "validation.min_rows  50" in text
    assert "alerts.team" in text
    (project / "nbml.toml").write_text("[validation]\nmin_row = 50\n")
    config = nbml.config()
    fault = "nbml.toml: no setting 'validation.min_row'; nearest: validation.min_rows"
    assert (config.fault, config.healthy, config["validation.min_rows"]) == (fault, False, 200)
    assert f"[not in force] {fault}; these are the defaults" in repr(config)
    assert (nbml.status().fault, nbml.status().next) == (fault, "%nbml config")
    assert f"[not in force] {fault}" in repr(nbml.status())


def test_a_project_that_cannot_be_written_to_proposes_another(shell: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "file").write_text("")  # below a file nobody makes a folder, not even root
    monkeypatch.setenv("NBML_PROJECT", str(project / "file" / "below"))
    monkeypatch.setenv("HOME", str(project / "home"))
    (project / "home").mkdir()
    store.use(None)
    store.choose(store.resolve())
    shell.user_ns["df"] = pd.DataFrame({"a": [1]})
    status = nbml.status()
    assert (status.readonly, status.next) == (True, store.ELSEWHERE)
    assert "can be read, not written" in repr(status)
    with pytest.raises(errors.ReadOnlyStore):
        nbml.snapshot(shell.user_ns["df"], name="a")
    assert shell.run_cell(status.next).success
    assert nbml.status().next == "%nbml snapshot df"
    assert str(nbml.snapshot(shell.user_ns["df"], name="a")) == "a@1"


def test_doctor_finds_this_installation_well(project: Path) -> None:
    doctor = nbml.doctor()
    assert {check.name: check.state for check in doctor.checks} == {
        "libraries": "well", "store": "well", "side panel": "well", "server extension": "well",
    }  # fmt: skip
    assert doctor.healthy
    assert list(project.iterdir()) == []


def test_doctor_names_what_is_missing_and_the_line_that_brings_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.requires", lambda name: ["no-such-tool>=2", "pandas>=99", 'other>=1; extra == "x"'])
    monkeypatch.setattr("sys.prefix", str(project))
    doctor = nbml.doctor()
    text = repr(doctor)
    assert not doctor.healthy
    assert "[bad] libraries missing or too old: no-such-tool>=2, pandas>=99" in text
    assert "%pip install 'no-such-tool>=2' 'pandas>=99'" in text
    assert "[look] side panel JupyterLab does not find the extension; %nbml works without it" in text
