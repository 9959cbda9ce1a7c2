"""``python -m nbml``: the same commands, their exit codes, and one JSON value."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import nbml
from nbml.__main__ import main

Terminal = Callable[..., tuple[int, str, str]]


@pytest.fixture
def terminal(project: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """Runs a command in a project that holds a CSV file: exit code, what was printed, what was said of errors."""
    pd.DataFrame({"age": [20, 30, 40] * 70, "plan": ["basic", "pro", "basic"] * 70}).to_csv(project / "in.csv", index=False)
    capsys.readouterr()

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_commands_take_files_and_references(terminal: Terminal) -> None:
    code, out, err = terminal("snapshot", "in.csv", "--note", "two words")
    assert (code, err) == (0, "")
    assert out.startswith("name: project-in (--name gives another)\n[stored] project-in@1 · 210 rows × 2")
    assert out.endswith("""\nNext: python -c 'import nbml; nbml.dataset("project-in@1").load()'\n""")
    assert nbml.dataset("project-in").note == "two words"
    assert terminal("dataset", "project-in@1")[0] == 0
    assert terminal("snapshot", "project-in@1", "--name=copy")[1].startswith("[stored] copy@1")


def test_json_is_one_value_whatever_is_printed_besides(terminal: Terminal) -> None:
    code, out, err = terminal("snapshot", "in.csv", "--json")
    said = json.loads(out)
    assert (code, said["ref"], said["state"], err) == (0, "project-in@1", "well", "name: project-in (--name gives another)\n")
    [row] = json.loads(terminal("data", "--json")[1])
    assert (row["name"], row["rows"], row["warnings"]) == ("project-in", 210, [])
    assert json.loads(terminal("runs", "--json")[1]) == []


def test_a_validation_gives_the_exit_code(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = terminal("validate", "in.csv", "--suite", "in")
    assert code == 2
    assert "draft" in out
    for text, expected in (("rows > 0", 0), ("age > 35", 1)):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        assert terminal("expect", "in")[0] == 0
        assert terminal("validate", "in.csv", "--suite", "in")[0] == expected
    said = json.loads(terminal("validate", "in.csv", "--suite", "in", "--json")[1])
    assert (said["success"], said["state"]) == (False, "bad")
    assert terminal("validate", "in.csv", "--suite", "in", "--strict")[0] == 1
    assert "Next: " not in terminal("validate", "in.csv", "--suite", "in")[1], "a terminal has no last value"
    for suite in ("none", "in@9"):
        assert terminal("validate", "in.csv", "--suite", suite, "--strict")[0] == 2, "no suite is no failure"
    code, _, err = terminal("validate", "in.csv", "--suite", "a/b")
    assert (code, err.splitlines()[1]) == (2, "Try: python -m nbml validate in.csv --suite a-b")


@pytest.mark.parametrize(
    ("arguments", "code", "message", "next_"),
    [
        (["snapshott", "in.csv"], 2, "no command 'snapshott'; nearest: snapshot", "snapshot in.csv"),
        (["snapshot", "in.csv", "--nam", "x"], 2, "snapshot has no option --nam; nearest: --name", "snapshot in.csv --name x"),
        (["explain", "a"], 2, f"nbml {nbml.__version__} does not have the command explain yet", "--help"),
        (["track", "base"], 2, "track runs a cell, so it needs a notebook: %%nbml track NAME", "track --help"),
        (["snapshot", "lost.csv", "--name", "x"], 1, "no file 'lost.csv' in {cwd}", "snapshot --help"),
        (["snapshot", "lost", "--name", "x"], 1, "no dataset 'lost'; none is stored yet", "data"),
        (["package", "model", "--name", "x"], 2, "outside a notebook a model is MODULE:NAME, found 'model'", "package --help"),
        (["package", "nowhere:model", "--name", "x"], 1, "no module 'nowhere' in {cwd} or in this Python", "package --help"),
        (["snapshot", "in.csv", "--name", "In Data"], 2, "the name 'In Data' does not fit: lower-case letters, digits, '.', '_' and '-', "
         "at most 63; 'in-data' would", "snapshot in.csv --name in-data"),
        (["deploy", "x", "--to", "container"], 2, "the target 'container' is not there yet; local is", "deploy x"),
        (["package", "json:model", "--name", "x"], 1, "json has no 'model'", "package --help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_errors_have_a_code_two_lines_and_a_json_form(
    terminal: Terminal, arguments: list[str], code: int, message: str, next_: str | None
) -> None:
    message = message.format(cwd=Path.cwd())
    found, out, err = terminal(*arguments)
    assert (found, out) == (code, "")
    line = f"Try: python -m nbml {next_}\n" if next_ else ""
    assert err.partition(": ")[2] == f"{message}\n{line}"
    found, out, _ = terminal(*arguments, "--json")
    error = json.loads(out)["error"]
    assert (found, error["message"], error["next"]) == (code, message, f"%nbml {next_}" if next_ else None)


def test_a_model_is_a_module_and_a_name(terminal: Terminal, project: Path) -> None:
    (project / "mymodels.py").write_text("class Box:\n    inner = [1]\nbox = Box()\n")
    code, _, err = terminal("package", "mymodels:box.inner", "--name", "x")
    assert code == 1
    assert "list" in err
    assert str(Path.cwd()) not in sys.path


def test_the_python_form_is_printed(terminal: Terminal) -> None:
    assert terminal("snapshot", "in.csv", "--name", "in", "--as-python") == (0, "nbml.snapshot('in.csv', name='in')\n", "")


def test_the_program_itself(terminal: Terminal) -> None:
    def program(*arguments: str) -> Any:
        command = [sys.executable, "-m", "nbml", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)

    assert program("--version").stdout == f"nbml {nbml.__version__}\n"
    done = program("expect", "in")
    said, _, proposed = done.stderr.partition("\nTry: ")
    assert (done.returncode, said) == (2, "BadExpectation: a suite needs at least one expectation")
    assert proposed == """python -c 'import nbml; nbml.expect('"'"'in'"'"', '"'"'rows >= 1'"'"')'\n"""
