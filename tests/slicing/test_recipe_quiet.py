"""The record never breaks or changes a cell."""

from __future__ import annotations

import inspect
import traceback
import warnings
from pathlib import Path
from typing import Any

import pytest

from nbml.slicing import evidence, recorder
from slicing import fuzz


@pytest.fixture
def shell(notebook: Any) -> Any:
    recorder.attach(notebook)
    notebook.run_cell("start = 0", store_history=True)
    yield notebook
    recorder.detach()


def run(shell: Any, cell: str) -> Any:
    return shell.run_cell(cell, store_history=True)


def test_tracebacks_and_source_are_those_of_the_cell(shell: Any) -> None:
    error = run(shell, "a = 1\nb = 2\n\ndef f():\n    return 1 / 0\nf()").error_in_exec
    frames = traceback.extract_tb(error.__traceback__)
    assert [(frame.lineno, frame.name) for frame in frames][-2:] == [(6, "<module>"), (5, "f")]
    assert not any("nbml" in frame.filename for frame in frames)
    assert inspect.getsource(shell.user_ns["f"]) == "def f():\n    return 1 / 0\n"
    assert shell.user_ns["b"] == 2
    assert run(shell, "x = [\n1,\n2 / 0]").error_in_exec.__traceback__.tb_next.tb_lineno == 3


def test_values_awaits_and_modes_of_display_are_as_they_were(shell: Any) -> None:
    assert run(shell, "1\n2").result == 2
    assert run(shell, "3 if start else 4").result == 4
    assert shell.user_ns["_"] == 4
    assert run(shell, "x = 5").result is None
    assert run(shell, "None").result is None
    assert run(shell, "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 7\nawait f()").result == 7
    assert run(shell, "if True:\n    y = 1\nelse:\n    y = 2\ny").result == 1
    shell.ast_node_interactivity = "all"
    try:
        assert run(shell, "8\n9").result == 9
        assert shell.user_ns["__"] == 8
    finally:
        shell.ast_node_interactivity = "last_expr"


def test_magics_see_the_statement_that_was_typed(shell: Any) -> None:
    assert "<timed eval>" in "".join(map(str, traceback.extract_tb(run(shell, "%time 1 / 0").error_in_exec.__traceback__)))
    run(shell, "calls = []\ndef f():\n    calls.append(1)")
    assert run(shell, "%timeit -n 3 -r 2 f()").success
    assert len(shell.user_ns["calls"]) == 6
    assert run(shell, "r = %time len(calls)").success
    assert shell.user_ns["r"] == 6
    assert run(shell, "%%capture said\nprint('hello')\nz = 3").success
    assert (shell.user_ns["said"].stdout, shell.user_ns["z"]) == ("hello\n", 3)


def test_no_name_is_added_and_a_reset_does_no_harm(shell: Any) -> None:
    before = set(shell.user_ns)
    run(shell, "u = 1")
    assert {name for name in set(shell.user_ns) - before if not name.startswith("_")} == {"u"}
    run(shell, "%reset -f")
    assert run(shell, "v = 2\nv").result == 2
    assert recorder.current() is not None
    assert recorder.current().events[-1].text == "v"


def test_loops_run_at_their_own_speed(shell: Any) -> None:
    """Nothing is called inside a loop: the marks of a cell are as many as its statements and branches."""
    seen: list[int] = []
    kept = recorder.current()
    assert kept is not None
    before = evidence.Evidence.step
    try:
        evidence.Evidence.step = lambda self, key: (seen.append(key), before(self, key))[1]  # type: ignore[method-assign,assignment]
        run(shell, "n = 0\nfor i in range(1000):\n    if i % 2:\n        n += 1\n    else:\n        n -= 0")
    finally:
        evidence.Evidence.step = before  # type: ignore[method-assign]
    assert (len(seen), shell.user_ns["n"]) == (2, 500)


def test_a_value_whose_own_code_fails_breaks_nothing(shell: Any) -> None:
    nasty = "class Nasty:\n    def __getattribute__(self, name):\n        raise OSError(name)\n"
    assert run(shell, nasty + "bad = Nasty()\nok = 1").success
    assert run(shell, "again = [bad, bad]\nok += 1").success
    assert shell.user_ns["ok"] == 2


def test_a_hook_that_fails_takes_itself_away_with_one_warning(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> None:
        raise OSError("no more")

    monkeypatch.setattr(evidence.Evidence, "changed", broken)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert run(shell, "p = 1\nq = 2").success
        assert run(shell, "r = 3\nr").result == 3
    messages = [str(warning.message) for warning in told]
    assert messages == ["nbml no longer records statements: OSError: no more; %reload_ext nbml starts again"]
    assert (shell.user_ns["p"], shell.user_ns["q"]) == (1, 2)


def test_random_notebooks_give_equal_values(notebook: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("JPY_SESSION_NAME", str(project / "n.ipynb"))
    count, first = int(os.environ.get("NBML_FUZZ", "8")), int(os.environ.get("NBML_FUZZ_SEED", "40000"))
    tally, faults = fuzz.main(count, first)
    assert faults == []
    assert tally["recipes"] == tally["equal"] > 10 * count
    assert tally["page differs, not said"] == 0
