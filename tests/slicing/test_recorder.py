"""Cells are kept as they ran, those before the load too, and no hook breaks a cell."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from nbml import slicing, store
from nbml.slicing import recorder
from nbml.slicing.cells import as_run


def run(shell: Any, *cells: str) -> None:
    for cell in cells:
        shell.run_cell(cell, store_history=True, cell_id="id-" + str(abs(hash(cell)) % 1000))


def test_cells_are_kept_in_order_with_what_they_bind(notebook: Any) -> None:
    kept = recorder.attach(notebook)
    failing = "def f():\n    inner = 2\nclass C: pass\nfor i in range(2):\n    (b, *c), d[0] = (1, 2), 3"
    run(notebook, "a = 1\nimport os.path as path, json", failing, "", "b = 5")
    assert [(c.seq, c.count, c.status, c.bound) for c in kept.cells] == [
        (0, 1, "ok", ("a", "path", "json")),
        (1, 2, "error", ("f", "C")),
        (2, 3, "ok", ("b",)),
    ]
    assert kept.cells[0].id.startswith("id-")
    assert kept.cells[0].started <= kept.cells[0].ended
    assert recorder.current() is kept
    assert kept.namespace is notebook.user_ns


def test_a_failed_cell_keeps_what_stands_above_the_failing_line(notebook: Any) -> None:
    kept = recorder.attach(notebook)
    run(notebook, "x = 1\ny = (2 +\n     3)\nz = 1 / 0\nw = 2", "%%time\nu = 1\nv = 1 / 0", "%%capture\np = 1\nq = 1 / 0\nr = 3")
    run(notebook, "this is no python", "def f(): return 1 / 0\nk = 1\nf()")
    found = [(c.status, c.line, c.bound) for c in kept.cells]
    assert found == [
        ("error", 4, ("x", "y")), ("error", 3, ("u",)), ("error", 3, ("p",)), ("error", 0, ()), ("error", 3, ("f", "k")),
    ]  # fmt: skip
    assert kept.cells[0].error == "ZeroDivisionError: division by zero"
    assert kept.cells[3].error.startswith("SyntaxError")


def test_magics_are_the_python_that_ran_and_lines_stay(notebook: Any) -> None:
    kept = recorder.attach(notebook)
    run(notebook, "%%time\n%%capture out\n\nx = !echo hi\ny = 1", "%%bash\necho z=1\n", "%time t = 3")
    assert kept.cells[0].source.splitlines() == ["# %%time", "# %%capture out", "", "x = get_ipython().getoutput('echo hi')", "y = 1"]
    assert [c.bound for c in kept.cells] == [("x", "y"), (), ()]
    assert [c.count for c in kept.cells] == [1, 2, 3]


def test_a_first_line_of_ours_is_a_comment_where_the_body_runs_as_the_cell(notebook: Any) -> None:
    assert as_run(notebook, "%%nbml track base --to wandb\nx = 1\n") == ("# %%nbml track base --to wandb\nx = 1\n", 1)
    assert as_run(notebook, "%%nbml expect churn\n0 <= rows\n")[0].startswith("get_ipython().run_cell_magic('nbml'")


def test_cells_before_the_load_are_known_too(notebook: Any) -> None:
    run(notebook, "a = 1", "b = 2\nc = 1 / 0\nd = 4", "%%time\ne = 1\nf = 1 / 0", "nonsense here")
    kept = recorder.attach(notebook)
    run(notebook, "g = 5")
    assert [(c.seq, c.count, c.status, c.line, c.bound) for c in kept.cells] == [
        (0, 1, "ok", None, ("a",)),
        (1, 2, "error", 2, ("b",)),
        (2, 3, "error", 3, ("e",)),
        (3, 4, "error", 0, ()),
        (4, 5, "ok", None, ("g",)),
    ]


def test_the_cell_that_attaches_is_kept_once(notebook: Any) -> None:
    run(notebook, "a = 1", "from nbml.slicing import recorder\nrecorder.attach(get_ipython())\nb = 2")
    run(notebook, "recorder.attach(get_ipython())\nc = 3")
    kept = recorder.current()
    assert kept is not None
    assert [(c.seq, c.bound) for c in kept.cells] == [(0, ("a",)), (1, ("recorder", "b")), (2, ("c",))]


def test_a_hook_that_fails_takes_itself_away_with_one_warning(notebook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = recorder.attach(notebook)

    def broken(result: Any) -> None:
        raise OSError("no more")

    monkeypatch.setattr(kept, "_record", broken)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        run(notebook, "a = 1", "b = a + 1")
    assert notebook.user_ns["b"] == 2
    assert [str(w.message) for w in told] == ["nbml no longer records cells: OSError: no more; %reload_ext nbml starts again"]


def test_cells_go_to_the_store_that_is_open(notebook: Any, project: Path) -> None:
    store.use(project)
    kept = recorder.attach(notebook)
    run(notebook, "a = 1", "b = 1 / 0")
    record = store.current()
    record.flush()
    rows = record.read("SELECT seq, count, source, status, error, session FROM cell ORDER BY seq")
    assert [tuple(row) for row in rows] == [
        (0, 1, "a = 1\n", "ok", "", kept.session), (1, 2, "b = 1 / 0\n", "error", "ZeroDivisionError: division by zero", kept.session)
    ]  # fmt: skip


def test_detached_it_hears_nothing(notebook: Any) -> None:
    kept = recorder.attach(notebook)
    recorder.detach()
    run(notebook, "a = 1")
    assert kept.cells == []
    assert recorder.current() is None
    assert recorder.namespace() is notebook.user_ns


def test_without_a_recorder_the_history_serves(notebook: Any) -> None:
    run(notebook, "RATE = 2  # kept\ndef predict(x):\n    return x * RATE")
    made = slicing.slice("predict")
    assert "RATE = 2  # kept" in made.source
    assert "# cell 1" in made.source


def test_the_cell_that_is_running_is_read_too(notebook: Any) -> None:
    recorder.attach(notebook)
    cell = "from nbml.slicing import cut\nLIMIT = 3  # here\ndef predict(x):\n    return min(x, LIMIT)\n"
    run(notebook, "a = 1", cell + "made = cut({'predict': predict}, module='made')")
    source = notebook.user_ns["made"].source
    assert "# cell 2\nLIMIT = 3  # here" in source
    assert source.count("# cell") == 1
