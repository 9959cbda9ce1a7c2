"""A run is run again in a fresh process: bit for bit, or told why not; and nothing of the project changes by it."""

from __future__ import annotations

import contextlib
import io
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import nbml
from conftest import until
from nbml import errors, store
from nbml.store import runs as record
from nbml.tracking import reproducing
from nbml.tracking.reproducing import compared

pytestmark = pytest.mark.slow

#: the next number after 2
MORE = 2.0000000000000004
STEPS = """%%nbml track steps
w = 1.0
for step in range(0, 100, 5):
    w -= 0.1 * w
    nbml.log(loss=w ** 2, step=step)
nbml.log({'final/w': w, 'none': float('nan'), 'much': float('inf'), 'least': -0.0})"""


def cells(shell: Any, *texts: str) -> None:
    """Run cells quietly; none fails."""
    shell.run_cell("import nbml", store_history=True)
    for text in texts:
        with contextlib.redirect_stdout(io.StringIO()):
            result = shell.run_cell(text, store_history=True)
        assert result.success, text


def tree(root: Path) -> dict[str, bytes]:
    """All files of a project but its record."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file() and ".nbml" not in path.parts}


def test_a_clean_run_is_the_same_bit_by_bit(shell: Any) -> None:
    cells(shell, STEPS)
    run = nbml.run("steps")
    assert (run.reproducible, run.why) == ("reproducible", ())
    found = nbml.reproduce("steps")
    assert (found.same, found.differences, found.why) == (True, {}, ())
    assert found.replayed.keys() == run.metrics.keys()
    assert repr(found).startswith("[same] steps@1 run again · 5 metrics")
    assert shell.run_line_magic("nbml", "reproduce steps").same


def test_a_replay_writes_no_run_and_no_file(shell: Any, project: Path) -> None:
    (project / "data").mkdir()
    cells(
        shell,
        "from pathlib import Path\nPath('part.txt').write_text('12')\nPath('data/sub.txt').write_text('3')",
        "%%nbml track files\nnbml.log(n=int(Path('part.txt').read_text()) + int(Path('data/sub.txt').read_text()))",
        "Path('part.txt').write_text('later')",
    )
    before, rows, things = tree(project), len(nbml.runs()), store.current().change()
    found = nbml.reproduce("files")
    assert found.same, found.why
    assert tree(project) == before
    assert len(nbml.runs()) == rows
    assert store.current().change() == things


def test_a_file_that_was_changed_later_is_read_as_it_was(shell: Any, project: Path) -> None:
    (project / "n.csv").write_text("n\n4\n")
    cells(shell, "import csv", "%%nbml track read\nwith open('n.csv') as file:\n    nbml.log(n=int(list(csv.DictReader(file))[0]['n']))")
    (project / "n.csv").write_text("n\n5\n")
    assert nbml.reproduce("read").same
    (project / "n.csv").unlink()
    assert nbml.reproduce("read").same


def test_a_run_of_out_of_order_cells_names_the_cell(shell: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = [("a", "import nbml"), ("b", "x = 1"), ("c", "%%nbml track mixed\nnbml.log(y=x + 1)"), ("d", "x = 10")]
    saved = [{"cell_type": "code", "id": key, "metadata": {}, "outputs": [], "execution_count": None, "source": text} for key, text in page]
    (project / "page.ipynb").write_text(json.dumps({"cells": saved, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    monkeypatch.setenv("JPY_SESSION_NAME", str(project / "page.ipynb"))
    for key in "abdc":
        shell.run_cell(dict(page)[key], store_history=True, cell_id=key)
    run = nbml.run("mixed")
    assert run.reproducible == "hidden-state"
    found = nbml.reproduce(run)
    assert found.same
    assert any("cell 3" in sentence for sentence in found.why), found.why
    assert found.why == run.why


def test_what_does_not_come_again_is_named_metric_by_metric(shell: Any) -> None:
    cells(shell, "%%nbml track clock\nimport time\nnbml.log(area=3 * 4)\nnbml.log(at=time.time())")
    run = nbml.run("clock")
    assert run.reproducible == "not-reproducible"
    found = nbml.reproduce("clock")
    assert not found.same
    assert list(found.differences) == ["at"]
    recorded, replayed = found.differences["at"]
    assert (recorded, replayed) == (run.metrics["at"], found.replayed["at"])
    assert recorded != replayed
    assert repr(found).startswith("[differs] clock@1 run again · 2 metrics")
    with pytest.raises(errors.RecipeRefused):
        run.recipe.run()


def test_what_cannot_be_had_again_is_not_the_same_by_luck(shell: Any) -> None:
    cells(shell, "%%nbml track lucky\nimport time\nnbml.log(n=int(time.time() * 0) + 3)")
    found = nbml.reproduce("lucky")
    assert (found.same, found.differences, found.replayed) == (False, {}, {"n": 3.0})
    assert any("cell 2" in sentence for sentence in found.why), found.why
    assert repr(found).startswith("[the same, perhaps by luck] lucky@1 run again")


def test_an_error_of_the_replay_is_told_by_its_last_line_without_secrets(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBML_TEST_TOKEN", "12345678")
    cells(shell, "import os", "%%nbml track size\nnbml.log(size=int(os.environ['NBML_TEST_TOKEN']))")
    monkeypatch.setenv("NBML_TEST_TOKEN", "canary-87654321")
    found = nbml.reproduce("size")
    assert not found.same
    assert found.differences == {"size": (12345678.0, None)}
    assert "ValueError: invalid literal for int() with base 10: '[redacted]'" in found.why[-1]
    assert "nbml.log(size=int(os.environ['NBML_TEST_TOKEN']))" in found.why[-1]


def test_what_cannot_be_started_is_told_too(shell: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "inner").mkdir()
    monkeypatch.chdir(project / "inner")
    cells(shell, "%%nbml track here\nnbml.log(n=1)")
    monkeypatch.chdir(project)
    (project / "inner").rmdir()
    found = nbml.reproduce("here")
    assert not found.same
    assert any(sentence.startswith("the replay stopped: ") for sentence in found.why), found.why


def test_what_changed_around_it_is_said(shell: Any) -> None:
    cells(shell, STEPS)
    run = nbml.run("steps")
    then = {"python": "3.9.1", "packages": {"numpy": "1.0", "gone-package": "2"}}
    record.put(store.current(), run._thing.id, "environment", run.environment | then)
    found = nbml.reproduce("steps")
    assert found.same
    assert found.why[0].startswith("Python was 3.9.1 and is 3.")
    assert found.why[1].startswith("numpy was 1.0 and is ")
    assert found.why[2] == "gone-package was 2 and is gone"


def test_runs_of_a_loop_are_told_apart(shell: Any) -> None:
    cells(shell, "for k in (1, 2, 3):\n    with nbml.track('loop'):\n        nbml.log(k=k)")
    for version in (1, 2, 3):
        found = nbml.reproduce(f"loop@{version}")
        assert (found.same, found.replayed) == (True, {"k": float(version)}), found.why


def test_a_run_that_nobody_saw_is_not_replayed(project: Path, no_notebook: None) -> None:
    with nbml.track("plain") as run:
        nbml.log(auc=0.5)
    assert (run.recipe, run.reproducible) == (None, "not-reproducible")
    found = nbml.reproduce("plain")
    assert (found.same, found.differences) == (False, {"auc": (0.5, None)})
    assert found.why == ("its statements were not recorded: it ran outside a notebook, or before %load_ext nbml",)


def test_a_run_that_goes_on_has_no_recipe_yet(shell: Any) -> None:
    block = "with nbml.track('open') as run:\n    nbml.log(n=1)\n    said = (run.recipe, run.why, nbml.reproduce(run).why)"
    cells(shell, block, "made = run.recipe")
    assert shell.user_ns["said"] == (None, ("it has not ended yet",), ("it has not ended yet",))
    assert shell.user_ns["made"].verdict == "reproducible"


def test_in_its_own_cell_a_run_that_has_ended_has_its_recipe(shell: Any) -> None:
    cells(shell, "x = 3", "with nbml.track('early') as run:\n    nbml.log(n=x)\nfound = nbml.reproduce(run)\nsource = run.recipe.source")
    assert shell.user_ns["found"].same
    assert "x = 3" in shell.user_ns["source"]


def test_a_resumed_run_has_all_its_blocks(shell: Any) -> None:
    again = "with nbml.track('both', resume=True):\n    nbml.log(a=2)\n    nbml.log(b=3)"
    cells(shell, "with nbml.track('both'):\n    nbml.log(a=1)", "between = 2", again)
    found = nbml.reproduce("both")
    assert (found.same, found.differences) == (True, {}), found.why
    assert "between" not in nbml.run("both").recipe.source
    reproducing._made.clear()  # as in another process
    cells(shell, "with nbml.track('both', resume=True):\n    nbml.log(b=4)")
    assert nbml.run("both").why[0] == reproducing.ELSEWHERE
    assert not nbml.reproduce("both").same


def test_a_page_that_is_saved_later_counts(shell: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = project / "later.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(page))
    ran = [("a", "import nbml\nx = 1"), ("b", "%%nbml track later\nnbml.log(n=x)")]
    for key, text in ran:
        shell.run_cell(text, store_history=True, cell_id=key)
    assert nbml.run("later").reproducible == "reproducible"
    saved = [{"cell_type": "code", "id": key, "metadata": {}, "outputs": [], "execution_count": None, "source": text} for key, text in ran]
    saved[0]["source"] = "import nbml\nx = 2"
    page.write_text(json.dumps({"cells": saved, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    assert nbml.run("later").reproducible == "hidden-state"
    assert "edited" in nbml.run("later").why[0]


def test_secrets_stay_out_of_the_stored_recipe(shell: Any) -> None:
    cells(shell, "api_key = 'sk-canary-1234'", "%%nbml track secret\nnbml.log(n=len(api_key))")
    run = nbml.run("secret")
    assert "canary" not in run.recipe.source
    assert (run.reproducible, run.why) == ("not-reproducible", (reproducing.SECRETS,))
    assert "canary" not in json.dumps(store.current().by_id(run._thing.id).body)
    found = nbml.reproduce("secret")
    assert "canary" not in repr(found)


def test_a_terminal_gets_an_exit_code_and_json(shell: Any, project: Path) -> None:
    cells(shell, STEPS, "%%nbml track clock\nimport time\nnbml.log(at=time.time())")
    assert (nbml.run("steps").reproducible, nbml.run("clock").reproducible) == ("reproducible", "not-reproducible")

    def asked(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "nbml", "reproduce", *words], capture_output=True, text=True, check=False, timeout=120)

    same, other = asked("steps", "--json"), asked("clock", "--json")
    assert (same.returncode, json.loads(same.stdout)["same"]) == (0, True)
    assert (other.returncode, json.loads(other.stdout)["same"]) == (1, False)
    assert list(json.loads(other.stdout)["differences"]) == ["at"]
    nothing = asked("stepz")
    assert nothing.returncode == 1
    assert "nearest: steps" in nothing.stderr


def waiting(shell: Any, told: Path) -> None:
    """A run that, run again with NBML_TEST_WAIT set, writes the number of its process to ``told`` and waits."""
    function = f"""import os, time
def size():
    if 'NBML_TEST_WAIT' in os.environ:
        open({str(told)!r}, 'w').write(str(os.getpid()))
        time.sleep(1000)
    return 1"""
    cells(shell, function, "%%nbml track waits\nnbml.log(n=size())")
    assert nbml.run("waits").recipe is not None


def test_a_replay_that_takes_too_long_is_ended(shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting(shell, tmp_path / "pid")
    monkeypatch.setenv("NBML_TEST_WAIT", "1")
    monkeypatch.setattr(reproducing, "LEAST", 2.0)
    found = nbml.reproduce("waits")
    assert not found.same
    assert any("did not end within 2 s" in sentence for sentence in found.why), found.why
    until(lambda: not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists())


def test_an_interrupt_ends_the_process(shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "pid"
    waiting(shell, told)
    monkeypatch.setenv("NBML_TEST_WAIT", "1")

    def interrupt() -> None:
        until(lambda: told.exists() and told.read_text())
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        nbml.reproduce("waits")
    thread.join()
    until(lambda: not Path(f"/proc/{told.read_text()}").exists())


@pytest.mark.parametrize(
    ("two", "differences", "sentences"),
    [
        (([0, 1], [1.0, 2.0]), {}, []),
        (([0, 1], [1.0, 2.5]), {"m": (2.0, 2.5)}, ["m differs from step 1 on: 2 points were recorded, 2 came again"]),
        (([0], [1.0]), {"m": (2.0, None)}, ["m differs from step 1 on: 2 points were recorded, 1 came again"]),
        (([0, 1], [1.0, MORE]), {"m": (2.0, MORE)}, ["m differs from step 1 on: 2 points were recorded, 2 came again"]),
        (([0, 7], [1.0, 2.0]), {"m": (2.0, 2.0)}, ["m differs from step 1 on: 2 points were recorded, 2 came again"]),
    ],
)
def test_a_metric_is_compared_at_every_step(two: Any, differences: Any, sentences: list[str]) -> None:
    assert compared({"m": ([0, 1], [1.0, 2.0])}, {"m": two}) == (differences, sentences)


def test_zero_and_minus_zero_differ_and_nan_is_nan() -> None:
    nan = float("nan")
    assert compared({"a": ([0], [nan])}, {"a": ([0], [nan])}) == ({}, [])
    assert list(compared({"a": ([0], [0.0])}, {"a": ([0], [-0.0])})[0]) == ["a"]
