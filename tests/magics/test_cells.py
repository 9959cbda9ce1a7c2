"""``%%nbml`` over a cell, in a real kernel: a body behaves as without the line above it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import nbml
from nbml import errors, store

pytestmark = pytest.mark.slow

BODY = """%%nbml track base --tags a,b --note "two words"
import nbml

def answer():
    return 41

nbml.log(auc=0.9)
answer() + 1"""


def test_a_tracked_body_behaves_as_without_the_line_above_it(kernel: Any) -> None:
    shown = kernel.run(BODY)
    assert [out["text/plain"].partition("·")[0].strip() for out in shown.outputs] == ["42", "[finished] base@1"]
    run = nbml.run("base@1")
    assert (run.metrics, list(run.tags), run.note) == ({"auc": 0.9}, ["a", "b"], "two words")
    assert kernel.run("print(_, _ == 42)").text == "42 True\n"
    assert kernel.run("import inspect; print(inspect.getsource(answer))").text == "def answer():\n    return 41\n\n"

    failed = kernel.run("%%nbml track base\n\nx = 1\nx / 0\nprint('never')")
    assert failed.error[:2] == ("ZeroDivisionError", "division by zero")
    assert "----> 4 x / 0" in failed.error[2]
    assert "      1 # %%nbml track base\n" in kernel.run("%%nbml track base\nx / 0").error[2]
    assert failed.text == ""
    assert failed.outputs[0]["text/plain"].startswith("[failed] base@2")
    assert nbml.run("base@2").state == "failed"

    body = "import asyncio\nasync def five():\n    await asyncio.sleep(0)\n    return 5\n\nawait five()"
    awaited = kernel.run(f"%%nbml track awaited\n{body}")
    assert awaited.outputs[0]["text/plain"] == "5"
    assert kernel.run("%%nbml track quiet\n5;").outputs[0]["text/plain"].startswith("[finished] quiet@1")
    assert len(kernel.run("%%nbml track quiet\ny = 5").outputs) == 1


def test_nested_magics_above_and_below(kernel: Any) -> None:
    below = kernel.run("%%nbml track below\n%%time\nz = 7\nz * 2")
    assert "Wall time" in below.text
    assert [out["text/plain"].partition("·")[0].strip() for out in below.outputs] == ["14", "[finished] below@1"]
    above = kernel.run("%%time\n%%nbml track above\nz = 8\nz * 2")
    assert "Wall time" in above.text
    assert nbml.run("above@1").state == "finished"
    assert kernel.run("%%time\n%%nbml track above\n1 / 0").error[0] == "ZeroDivisionError"
    assert nbml.run("above@2").state == "failed"
    kernel.run("%%capture out\n%%nbml track inside\nprint('in')\n3")
    assert kernel.run("print(out.stdout, len(out.outputs))").text == "in\n 2\n"
    inner = kernel.run("%%nbml track outer\nimport nbml\nget_ipython().run_cell('q = 1')\nnbml.log(auc=0.5)")
    assert inner.ok
    assert nbml.run("outer@1").metrics == {"auc": 0.5}

    two = kernel.run("%%nbml track two\n%%nbml track three\nprint('never')")
    assert two.error[1] == "a cell is one thing, not two: %%nbml track two, or %%nbml track three\nTry: %nbml --help"
    assert two.text == ""
    with pytest.raises(errors.UnknownRun):
        nbml.run("two")

    made = kernel.run("value = get_ipython().run_cell_magic('nbml', 'track program', 'p = 3\\np + 1')\nprint(value)")
    assert made.text == "4\n"
    assert nbml.run("program@1").state == "finished"
    assert kernel.run("get_ipython().run_cell_magic('nbml', 'track program', '1 / 0')").error[0] == "ZeroDivisionError"
    assert nbml.run("program@2").state == "failed"


def test_an_error_is_two_lines_and_fails_the_cell(kernels: Callable[..., Any]) -> None:
    kernel = kernels()
    kernel.run("%load_ext nbml")
    failed = kernel.run("%nbml snapshott df")
    text = "no command 'snapshott'; nearest: snapshot\nTry: %nbml snapshot df"
    assert failed.error == ("UnknownCommand", text, f"UnknownCommand: {text}")
    first = kernel.run("%%nbml track base --tgs x\nprint('never')")
    assert first.error[2] == "UnknownOption: track has no option --tgs; nearest: --tags\nTry: %%nbml track base --tags x"
    assert first.text == ""
    kernel.run("%env NBML_TRACEBACK=1")
    assert "Traceback" in kernel.run("%nbml snapshott df").error[2]


def test_text_bodies_are_handed_on_as_they_are(kernel: Any) -> None:
    kernel.run("import pandas as pd\ndf = pd.DataFrame({'a': [1, 2, 3]})")
    made = kernel.run("%%nbml expect small\n# at least one\nrows > 0\n{rows} < 5")
    assert made.error[0] == "BadExpectation"
    assert kernel.run("%%nbml expect small\n# at least one\nrows > 0").ok
    assert nbml.suite("small").text == "# at least one\nrows > 0"  # as from a file: without the lines' common margin and end
    assert kernel.run("print(type(_).__name__, str(_))").text == "Suite small@1\n"


def test_the_python_form_of_a_cell_gives_the_same(kernel: Any) -> None:
    def form(source: str) -> str:
        [said] = kernel.run(source).payload
        assert said["source"] == "set_next_input"
        return said["text"]

    tracked = form('%%nbml track base --note hi --as-python\ntext = """a\n  b"""\ntext')
    assert tracked == 'import nbml\n\nwith nbml.track(\'base\', note=\'hi\') as run:\n    text = """a\n  b"""\n    text'
    with pytest.raises(errors.UnknownRun):
        nbml.run("base")
    assert kernel.run(tracked).ok
    assert nbml.run("base@1").note == "hi"
    assert kernel.run("print(repr(text))").text == "'a\\n  b'\n"

    assert kernel.run(form("%%nbml expect small --as-python\nrows > 0\n")).ok
    assert kernel.run("%%nbml expect small\nrows > 0").ok
    assert str(nbml.suite("small")) == "small@1"

    kernel.run("import pandas as pd\nfrom sklearn.linear_model import Ridge\nX = pd.DataFrame({'a': range(40)})\ny = X.a * 2.0")
    cell = "%%nbml tune ridge --on X y --metric r2 --cv 2 --trials 2 --seed 0{}\nRidge(alpha=tune.float(0.1, 1))  # ours"
    assert form(cell.format(" --as-python")) == (
        "from nbml import tune\n\nnbml.tune(Ridge(alpha=tune.float(0.1, 1)), X, y, name='ridge', metric='r2', cv=2, trials=2, seed=0)"
    )
    assert kernel.run(cell.format("")).ok
    assert kernel.run(form(cell.format(" --as-python"))).ok
    assert kernel.run("print(type(_).__name__, str(_))").text == "Study ridge@1\n"
    cell = "%%nbml tune square --direction minimize --trials 3 --seed 0{}\nx = tune.float(-1, 1)\nx ** 2"
    assert form(cell.format(" --as-python")) == (
        "def objective(tune):\n    x = tune.float(-1, 1)\n    return x ** 2\n\n\n"
        "nbml.tune(objective, name='square', direction='minimize', trials=3, seed=0)"
    )
    assert kernel.run(cell.format("")).ok
    best = nbml.study("square").best_params
    assert kernel.run(form(cell.format(" --as-python"))).ok
    assert nbml.study("square").best_params == best


def test_an_interrupt_is_one_line(kernel: Any) -> None:
    kernel.run("import os, signal\nimport pandas as pd\ndf = pd.DataFrame({'a': [1.0, 2.0]})")
    press = "os.kill(os.getpid(), signal.SIGINT)"
    for cell, command in {
        f"%%nbml tune x --direction minimize --trials 2\n{press}\n1.0": "tune",
        f"%%nbml package x --on df\ndef predict(df):\n    {press}\n    return df['a']": "package",
        "%nbml package predict --name x --on df": "package",
    }.items():
        failed = kernel.run(cell)
        assert failed.error[0] == "KeyboardInterrupt"
        assert failed.error[2] == f"KeyboardInterrupt: {command} was interrupted; what was finished is kept"
    assert "os.kill" in kernel.run(f"%%nbml track own\n{press}").error[2]  # in the user's own code: its traceback
    assert list(nbml.services()["name"]) == []


def test_the_kernel_tells_where_its_project_is_and_what_it_holds(kernels: Callable[..., Any], project: Any) -> None:
    import json
    from pathlib import Path

    kernel = kernels(name="my book.ipynb")
    assert kernel.run("%load_ext nbml").ok
    connection = Path(kernel.manager.connection_file)
    identity = connection.stem.removeprefix("kernel-")
    path = connection.with_name(f"nbml-{identity}.json")
    said = json.loads(path.read_text())
    assert (said["project"], said["notebook"], said["nbml"]) == (str(project), str(project / "my book.ipynb"), nbml.__version__)
    assert path.stat().st_mode & 0o777 == 0o600
    kernel.run("import pandas as pd\nfrom sklearn.linear_model import Ridge\nsecret = 'abc'")
    kernel.run("df = pd.DataFrame({'a': [1.0, 2.0]})\nraw = Ridge()")
    assert not (project / ".nbml").exists()
    kernel.run("model = Ridge().fit(df, df.a)\nresult = %nbml snapshot df")
    store.use(project)
    kernel.run("1")
    from conftest import until

    names = until(lambda: store.current().digest(identity).get("names"))
    assert {"name": "df", "kind": "frame", "type": "DataFrame", "shape": [2, 1]} in names
    assert {"name": "model", "kind": "model", "type": "Ridge", "fitted": True} in names
    assert {"name": "raw", "kind": "model", "type": "Ridge", "fitted": False} in names
    assert "abc" not in json.dumps(names)
    assert kernel.run("%unload_ext nbml").ok
    assert not path.exists()
    assert kernel.run("%nbml").error[0] == "UsageError"
