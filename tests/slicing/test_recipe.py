"""A recipe is the ordered statements that computed a name; it can be run again, or says why not."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nbml
from nbml import errors
from nbml.slicing import Recipe, recorder


@pytest.fixture
def page(notebook: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs cells in a shell that records; a key before a colon-free text is its id."""
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    random.seed()
    notebook.run_line_magic("load_ext", "nbml")

    def run(*cells: str | tuple[str, str]) -> Any:
        for cell in cells:
            key, text = cell if isinstance(cell, tuple) else ("", cell)
            notebook.run_cell(text, store_history=True, cell_id=key)
        return notebook

    yield run
    notebook.run_line_magic("unload_ext", "nbml")


def test_a_recipe_reads_as_the_page_does_and_leaves_out_the_rest(page: Any) -> None:
    page(
        "import numpy as np, json\nfrom math import sqrt, pi",
        "# how far\nlimit = 3  # of the page\nother = 4",
        "x = np.arange(5.0)\nprint(x)",
        "x[1:] *= limit\ny = x.sum() + sqrt(4)",
    )
    recipe = nbml.recipe("y")
    assert recipe.source == (
        "# cell 1\nimport numpy as np\nfrom math import sqrt\n# cell 2\n# how far\nlimit = 3  # of the page\n"
        "# cell 3\nx = np.arange(5.0)\n# cell 4\nx[1:] *= limit\ny = x.sum() + sqrt(4)\n"
    )
    assert (recipe.verdict, recipe.why, recipe.inputs) == ("reproducible", (), ())
    assert recipe.run() == 32.0
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert "y = x.sum()" in repr(recipe)
    assert "reproducible" in recipe._repr_html_()


def test_the_branch_that_was_not_taken_and_the_key_that_was_not_read_stay_out(page: Any) -> None:
    page("a = [1]\nb = [2]\nflag = True", "b.append(5)", "if flag:\n    x = a\nelse:\n    x = b", "y = len(a) if flag else len(b)")
    assert "b.append" not in nbml.recipe("x").source
    assert "b.append" not in nbml.recipe("y").source
    page("settings = {'k': 1, 'm': 2}\ndef f():\n    return settings['k']", "settings['m'] = 9", "settings['k'] = 7", "z = f()")
    source = nbml.recipe("z").source
    assert "settings['k'] = 7" in source
    assert "settings['m'] = 9" not in source


def test_one_object_under_two_names_is_one(page: Any) -> None:
    page("import numpy as np\na = [1]\nb = a\nx = np.arange(4.0)\nv = x[1:]", "b.append(2)\nv *= 10", "n = len(a) + x.sum()")
    recipe = nbml.recipe("n")
    assert recipe.verdict == "reproducible"
    assert "b = a" in recipe.source
    assert "b.append(2)\nv *= 10" in recipe.source
    assert recipe.run() == 62.0


def test_a_file_that_changed_is_read_from_its_copy_and_one_that_is_lost_is_refused(page: Any, project: Path) -> None:
    Path("n.txt").write_text("12")
    page("from pathlib import Path\nn = int(Path('n.txt').read_text())", "%nbml config")
    known = nbml.recipe("n")
    assert [(said.kind, said.name, len(said.hash), said.kept == said.hash) for said in known.inputs] == [("file", "n.txt", 64, True)]
    Path("n.txt").write_text("99")
    changed = nbml.recipe("n")
    assert changed.verdict == "reproducible"
    assert changed.run() == known.run() == 12
    assert Path("n.txt").read_text() == "99"
    for blob in (project / ".nbml" / "blobs").glob("??/*"):
        blob.unlink()
    with pytest.raises(errors.RecipeRefused) as refused:
        known.run()
    message = "n cannot be replayed: n.txt is not what was read (changed or gone), and no copy of it was kept"
    assert refused.value.message == message


def test_what_cannot_be_replayed_names_cell_and_cause(page: Any) -> None:
    page("import time, random, os", "t = time.time()", "r = random.random()")
    page("def stamp():\n    return time.time()\ns = stamp()", "still = stamp")
    assert nbml.recipe("t").why == ("cell 2: the clock (time.time), in `t = time.time()`",)
    assert nbml.recipe("r").why == (
        "cell 3: `r = random.random()` draws from the global random state of random, which no seed had set: randomness without a seed"
        " (a random_state is missing?)",
    )
    assert nbml.recipe("s").why == ("cell 4: stamp() asks the clock (time.time), in `s = stamp()`",)
    assert nbml.recipe("still").verdict == "reproducible"
    with pytest.raises(errors.RecipeRefused, match=r"^t cannot be replayed: cell 2: the clock"):
        nbml.recipe("t").run()
    page("random.seed(4)\nq = random.random()")
    recipe = nbml.recipe("q")
    assert (recipe.verdict, recipe.run()) == ("reproducible", page().user_ns["q"])


def test_hidden_state_names_the_cell(page: Any) -> None:
    page(("a", "k = 2"), ("b", "n = k * 3"), ("a", "k = 5"))
    assert nbml.recipe("n").why == ("k came from an earlier text of cell 1, which was edited since: `k = 2`",)
    assert nbml.recipe("n").run() == 6  # the record can be replayed
    page(("c", "m = 0"), ("d", "m += 1"), ("d", "m += 1"))
    twice = nbml.recipe("m")
    assert (twice.verdict, twice.why) == ("hidden-state", ("cell 5 ran 2 times (again as cell 6): `m += 1`",))


def test_the_order_of_a_set_is_seen_by_running_it(page: Any) -> None:
    words = "{'alpha', 'beta', 'gamma', 'delta', 'epsilon'}"
    page(f"names = {words}\nfirst = ' '.join(names)\nordered = ' '.join(sorted(names))")
    assert nbml.recipe("first").verdict == "not-reproducible"
    assert nbml.recipe("first").why[0].startswith("cell 1: processes give different values: the order of a set")
    assert nbml.recipe("ordered").verdict == "reproducible"


def test_a_frame_that_was_kept_as_a_version_is_loaded_from_it(page: Any) -> None:
    Path("t.csv").write_text("a,b\n1,2\n3,4\n")
    page("import nbml\nimport pandas as pd", "df = pd.read_csv('t.csv')", "%nbml snapshot df --name pairs", "total = int(df['b'].sum())")
    Path("t.csv").unlink()
    recipe = nbml.recipe("total")
    assert 'df = nbml.dataset("pairs@1").load()' in recipe.source.replace("'", '"')
    assert [(said.kind, said.ref) for said in recipe.inputs] == [("dataset", "pairs@1")]
    assert recipe.run() == 6


@pytest.mark.parametrize(("cell", "verdict"), [
    ("m = SVC(C=2).fit(X, y)", "reproducible"),
    ("m = GridSearchCV(SVC(), {'C': [1, 2]}, cv=3).fit(X, y)", "reproducible"),
    ("m = HistGradientBoostingClassifier(max_iter=3)\nm.fit(X, y)", "reproducible"),
    ("for C in (1, 2):\n    m = SVC(C=C).fit(X, y)", "reproducible"),
    ("m = HistGradientBoostingClassifier(max_iter=3, early_stopping=True).fit(X, y)", "not-reproducible"),
    ("m = RandomForestClassifier(3).fit(X, y)", "not-reproducible"),
    ("for m in (RandomForestClassifier(3), SVC()):\n    m.fit(X, y)", "not-reproducible"),
    ("both = [RandomForestClassifier(3), SVC()]\nfor m in both:\n    m.fit(X, y)", "not-reproducible"),
])  # fmt: skip
def test_a_seed_that_is_drawn_and_not_used_is_no_randomness(page: Any, cell: str, verdict: str) -> None:
    page("from sklearn.datasets import load_iris\nfrom sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier\n"
         "from sklearn.model_selection import GridSearchCV\nfrom sklearn.svm import SVC\nX, y = load_iris(return_X_y=True)",
         "RandomForestClassifier(2).fit(X, y)", cell, "score = m.score(X, y)")  # fmt: skip
    recipe = nbml.recipe("score")
    assert recipe.verdict == verdict, recipe.why
    assert "RandomForestClassifier(2)" not in recipe.source, "what was drawn before has no part in it"


def test_settings_of_ours_are_no_input(page: Any, project: Path) -> None:
    (project / "nbml.toml").write_text("[tracking]\n")
    (project / "t.txt").write_text("3")
    page("import nbml", "with nbml.track('set'):\n    nbml.log(x=int(open('t.txt').read()))", "x = nbml.run('set').metrics['x']")
    assert [said.name for said in nbml.run("set").recipe.inputs] == ["t.txt"]


def test_the_recipe_of_a_run_is_its_block(page: Any) -> None:
    page("import nbml\nx = 3\nunused = 1", "with nbml.track('base') as run:\n    y = x * 2\n    nbml.log(area=y)\n    print(y)")
    kept = recorder.current()
    assert kept is not None
    block = [event for event in kept.events if event.cell == kept.cells[-1].seq]
    recipe = nbml.slicing.recipe_of(block, "base")
    expected = "# cell 1\nimport nbml\nx = 3\nwith nbml.track('base') as run:\n    # cell 2\n    y = x * 2\n    nbml.log(area=y)\n"
    assert recipe.source == expected
    assert recipe.run() == {"area": 6.0}


def test_what_ran_before_the_load_is_known_by_its_text(notebook: Any) -> None:
    notebook.run_cell("base = [1, 2]\nbase.append(3)", store_history=True)
    notebook.run_line_magic("load_ext", "nbml")
    notebook.run_cell("n = sum(base)", store_history=True)
    assert nbml.recipe("n").run() == 6
    notebook.run_line_magic("unload_ext", "nbml")


def test_an_unknown_name_is_told_with_the_nearest(page: Any) -> None:
    page("model = 1")
    with pytest.raises(errors.UnknownName) as unknown:
        nbml.recipe("modle")
    assert unknown.value.message == "no name 'modle' in the notebook; nearest: model"
    assert unknown.value.next == "%nbml recipe model"


def test_an_event_holds_no_value_and_tells_rows(page: Any) -> None:
    import gc
    import weakref

    shell = page("import pandas as pd\nclass Thing: pass\nthing = Thing()")
    page("df = pd.DataFrame({'a': [1.0, None, 3.0]})", "df = df.dropna()")
    kept = recorder.current()
    assert kept is not None
    assert kept.events[-1].rows == {"df": (3, 2)}
    gone = weakref.ref(shell.user_ns["thing"])
    del shell.user_ns["thing"]
    gc.collect()
    assert gone() is None


def test_large_values_are_compared_by_a_sample_and_it_is_said(page: Any) -> None:
    page("import numpy as np\nbig = np.array([str(i) for i in range(300_000)], dtype=object)", "n = len(big)")
    recipe = nbml.recipe("n")
    assert recipe.notes == ("big is large: it was compared by a sample of its values",)
    assert recipe.run() == 300_000
    assert np.array_equal(nbml.recipe("big").run(), page().user_ns["big"])
