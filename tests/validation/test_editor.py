"""The suite editor: what it holds of a suite, what it judges, the cell that it writes, and its widgets in a real kernel."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nbml
from nbml import errors
from nbml.validation.editing import compose, line, read, rest, said
from nbml.validation.editor import ROWS, Editor, edit

TEXT = """# what a customer is
18 <= age <= 100  # by law
plan in {"basic", "pro"}
not_null(age, plan)
unique(customer)

age <= tenure
18 <= age <= 90, where=plan == "pro"
(
    mean(age) <= 70
)
tenure >= var("least")
0 < age
gone >= 1"""


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer": range(100), "age": [20 + i % 60 for i in range(100)], "plan": ["basic", "pro"] * 50,
            "tenure": np.linspace(90, 99.5, 100),
        }
    )  # fmt: skip


def test_what_the_form_holds_and_what_stays_as_it_is_written(frame: pd.DataFrame) -> None:
    parts = read(TEXT, list(frame.columns))
    assert said(parts) == {
        ("range", "age"): (18, 100), ("set", "plan"): frozenset({"basic", "pro"}), ("null", "age"): 1.0, ("null", "plan"): 1.0,
        ("unique", "customer"): True,
    }  # fmt: skip
    assert rest(parts).splitlines() == [TEXT.splitlines()[i] for i in (0, 5, 6, 7, 8, 9, 10, 11, 12, 13)]
    assert compose(parts, said(parts), rest(parts)) == TEXT


def test_a_changed_line_changes_in_its_place_and_what_is_new_comes_last(frame: pd.DataFrame) -> None:
    parts = read(TEXT, list(frame.columns))
    now = said(parts) | {("range", "age"): (18, None), ("null", "age"): 0.9, ("unique", "plan"): True}
    del now["set", "plan"]
    lines = TEXT.splitlines()
    assert compose(parts, now, rest(parts)).splitlines() == [
        lines[0], "age >= 18", "not_null(age), mostly=0.9", "not_null(plan)", *lines[4:], "unique(plan)",
    ]  # fmt: skip
    assert compose(parts, said(parts), "rows > 3").splitlines() == [*lines[1:5], "rows > 3"]


def test_aspects_as_lines() -> None:
    assert line(("range", "net amount"), (0.5, 1_000_000)) == '0.5 <= col("net amount") <= 1_000_000'
    assert line(("range", "x"), (None, 2.0)) == "x <= 2"
    assert line(("set", "x"), frozenset({3, 1})) == "x in {1, 3}"
    assert line(("set", "x"), frozenset({"b'", "a"})) == "x in {'a', \"b'\"}"


def test_lines_are_judged_as_validate_judges_them(project: Path, frame: pd.DataFrame) -> None:
    editor = Editor("churn", frame, 'age >= 18\nplan in {"basic", "pro"}\npsi(age) < 0.1\nrows > 3', "df")
    assert editor.headline().title[-1] == ": 4 of 4 lines hold"
    editor.set(("range", "age"), (30, 60))
    editor.set(("set", "plan"), frozenset({"pro"}))
    wrong = nbml.validate(frame, nbml.expect("check", "30 <= age <= 60\nplan in {'pro'}"))
    counts = {f.text: f.count for f in wrong.failures}
    assert {text: editor.verdict(text).broken for text in counts} == counts
    assert editor.headline().title[-1] == ": 2 of 4 lines hold"
    shown = repr(editor)
    assert f"{counts['30 <= age <= 60']} rows broken" in shown
    assert editor.cell == "%%nbml expect churn --on df\n30 <= age <= 60\nplan in {'pro'}\npsi(age) < 0.1\nrows > 3"
    assert "<script" not in editor._repr_html_()
    with pytest.raises(errors.BadArgument, match="the form has no range for 'plan'"):
        editor.set(("range", "plan"), (1, 2))


def test_a_large_frame_is_judged_on_a_part_of_it_and_that_is_said(project: Path) -> None:
    editor = Editor("big", pd.DataFrame({"x": np.arange(ROWS + 50)}), "x >= 0")
    assert editor.headline().facts == ["judged on 200,000 of 200,050 rows"]


def test_of_private_columns_there_is_neither_picture_nor_value(project: Path) -> None:
    frame = pd.DataFrame({"email": ["ada@example.org", "grace@example.org"] * 15, "pay": [31.4159, 2.5, 3.5] * 10})
    text = nbml.validate(frame, "none").draft
    assert "ada@" in Editor("open", frame, text)._repr_html_()
    editor = Editor("shut", frame, "unique(email)\nnot_null(pay)\nmax(pay) < 3", private=["email", "pay"])
    for told in (repr(editor), editor._repr_html_(), json.dumps(editor._repr_mimebundle_())):
        assert not [secret for secret in ("ada@", "grace@", "31.4", "2.5") if secret in told]
    assert [editor.picture(column) for column in editor.columns] == [None, None]
    assert editor.verdict("unique(email)").broken == 30


def test_the_widgets_say_what_is_held_and_the_cell_is_what_they_say(project: Path, frame: pd.DataFrame) -> None:
    from nbml.validation.editor_form import Form

    editor = Editor("churn", frame, TEXT.replace('tenure >= var("least")\n', ""), "df")
    form = Form(editor)
    age, plan = form.rows["age"].handles, form.rows["plan"].handles
    assert (age["range"].value, age["slider"].value, age["null"].value, plan["chips"].value) == (True, (18, 100), True, ["basic", "pro"])
    assert form.rows["tenure"].handles["range"].value is False
    before = editor.text
    age["slider"].value = (25, 70)
    plan["chips"].value = ["basic"]
    form.rows["tenure"].handles["range"].value = True
    low, high = form.rows["tenure"].handles["slider"].value
    lines = editor.text.splitlines()
    assert [lines[1], lines[2], lines[-1]] == ["25 <= age <= 70", "plan in {'basic'}", f"{low:g} <= tenure <= {high:g}"]
    assert "50 rows broken" in form.rows["plan"].picture.value
    age["slider"].value = (18, 100)
    plan["chips"].value = ["basic", "pro"]
    form.rows["tenure"].handles["range"].value = False
    assert editor.text == before, "what is as it was is written as it was, comments too"
    form.rest.value = "age <="
    form.write.click()
    assert "not written" in form.said.value


def test_updates_come_at_most_four_times_a_second() -> None:
    import asyncio
    import time

    from nbml.validation.editor_form import PAUSE, Pace

    done: list[float] = []

    async def drive() -> None:
        pace = Pace(lambda: done.append(time.monotonic()))
        for _ in range(40):
            pace.ask()
            await asyncio.sleep(0.01)
        while len(done) < 2:
            await asyncio.sleep(0.01)
        await asyncio.sleep(PAUSE)

    asyncio.run(drive())
    assert len(done) <= 5
    assert min(b - a for a, b in pairwise(done)) >= PAUSE - 0.02


def test_the_editor_by_its_magic(shell: Any, project: Path, frame: pd.DataFrame) -> None:
    shell.user_ns["df"] = frame
    editor = shell.run_line_magic("nbml", "expect churn --edit --on df")
    assert editor.cell.startswith("%%nbml expect churn --on df\n50 <= rows <= 200  # 100 now\nunique(customer)\n")
    nbml.expect("churn", "age >= 20", on=frame)
    assert shell.run_line_magic("nbml", "expect churn --edit").text == "age >= 20", "over the frame that is pinned"
    for typed, message in (
        ("expect other --edit", "the editor draws data, and other has none pinned: it needs --on\nTry: %nbml expect other --edit --on df"),
        ("expect other --edit --on df --as-python",
         "--edit of expect opens a form, which has no Python form\nTry: %nbml expect other --edit --on df"),
        ("expect --edit", "expect needs name of the suite after it\nTry: %nbml expect --help"),
    ):  # fmt: skip
        with pytest.raises(errors.NbmlError) as found:
            shell.run_line_magic("nbml", typed)
        assert str(found.value) == message
    with pytest.raises(errors.BadArgument) as wrong:
        shell.run_cell_magic("nbml", "expect churn --edit --on df", "rows > 1")
    assert str(wrong.value) == (
        "--edit of expect opens a form: it is one line and takes no body\nTry: %nbml expect churn --edit --on df"
    )


def test_apply_needs_a_notebook(project: Path, frame: pd.DataFrame, no_notebook: None) -> None:
    with pytest.raises(errors.UsageError, match="puts a cell into the notebook; there is none here"):
        edit("churn", frame).apply()


DRIVE = """
import ipywidgets
from ipywidgets.widgets.widget import _instances
found = list(_instances.values())
sliders = [w for w in found if isinstance(w, ipywidgets.IntRangeSlider)]
[age] = [w for w in sliders if w.max >= 79 and w.max < 99]
age.value = (30, 60)
[w for w in found if isinstance(w, ipywidgets.Button) and w.description == "Write cell"][0].click()
print(len(_instances))
"""


@pytest.mark.slow
def test_in_a_kernel_the_cell_is_written_and_the_form_ends_as_static_html(kernel: Any) -> None:
    assert kernel.run("import pandas as pd\ndf = pd.DataFrame({'customer': range(100), 'age': [20 + i % 60 for i in range(100)]})").ok
    opened = kernel.run("%nbml expect churn --edit --on df")
    assert opened.ok, opened.error
    assert "application/vnd.jupyter.widget-view+json" in opened.outputs[0]
    assert "lines hold" in opened.outputs[0]["text/html"]
    before = int(kernel.run("from ipywidgets.widgets.widget import _instances; print(len(_instances))").text)
    driven = kernel.run(DRIVE)
    assert driven.ok, driven.error
    written = [p for p in driven.payload if p["source"] == "set_next_input"]
    assert len(written) == 1
    assert written[0]["text"].startswith("%%nbml expect churn --on df\n")
    assert "30 <= age <= 60" in written[0]["text"]
    end = driven.updates[-1]
    assert "application/vnd.jupyter.widget-view+json" not in end
    assert "30 &lt;= age &lt;= 60" in end["text/html"]
    assert end["application/vnd.nbml.v1+json"]["next"] == [written[0]["text"]]
    assert before > 20
    assert int(driven.text) == 0, "the widgets are closed"
    ran = kernel.run(written[0]["text"])
    assert ran.ok, ran.error
    assert "[failed] churn@1" in ran.shown
