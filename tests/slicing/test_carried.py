"""What names do not carry: files, environment variables, switches and changes of libraries; in a fresh process in another folder."""

# ruff: noqa: E501 - whole notebooks, a line each

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nbml import errors
from nbml.slicing import Slice, cut, recorder, watching

pytestmark = pytest.mark.slow

Run = Callable[..., Slice]
#: each job in a process of its own, forked from one that has the libraries
ANSWERS = """
import json, os, sys
import numpy, pandas, sklearn
found = []
for folder, environment, call in json.loads(sys.stdin.read()):
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            os.environ.update(environment)
            sys.path.insert(0, folder)
            import made
            text = repr(eval(call, {"predict": made.predict}))
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
        os.write(write, text.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        found.append(pipe.read().decode())
    os.wait()
print(json.dumps(found))
"""


@pytest.fixture
def run(notebook: Any, project: Path) -> Iterator[Run]:
    """Writes files, runs cells, and cuts ``predict``; with ``call``, after it was asked under watch."""
    recorder.attach(notebook)
    before = dict(os.environ)

    def do(*cells: str, files: dict[str, str] | None = None, call: str = "", **options: Any) -> Slice:
        for path, text in (files or {}).items():
            (project / path).parent.mkdir(parents=True, exist_ok=True)
            (project / path).write_text(text)
        for cell in cells:
            notebook.run_cell(cell, store_history=True).raise_error()
        with watching.watching() as seen:
            if call:
                eval(call, notebook.user_ns)
        return cut({"predict": notebook.user_ns["predict"]}, module="made", seen=seen if call else None, **options)

    yield do
    os.environ.clear()
    os.environ.update(before)


def elsewhere(jobs: list[Any]) -> list[str]:
    """What written modules answer, each in a fresh process in another folder: (folder, environment, call)."""
    env = {key: value for key, value in os.environ.items() if key not in ("MODE", "TZ")}
    done = subprocess.run([sys.executable, "-c", ANSWERS], input=json.dumps(jobs), capture_output=True, text=True, cwd="/", env=env, check=False)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@dataclass
class Outcome:
    """What was cut of a case, its answer here and there; or why it was refused."""

    made: Slice | None = None
    error: Exception | None = None
    here: str = ""
    there: str = ""


@pytest.fixture(scope="module")
def outcomes(one_shell: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Outcome]]:
    """Every case run in a real shell and cut; then all slices asked elsewhere, where the files that they read are gone."""
    from nbml import store

    root, far = tmp_path_factory.mktemp("carried"), tmp_path_factory.mktemp("far")
    monkey = pytest.MonkeyPatch()
    for path, text in (LIMITS | HELPER | PACKAGE).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    monkey.chdir(root)
    monkey.syspath_prepend(str(root))
    monkey.setenv("MODE", "here")
    monkey.setenv("NBML_PROJECT", str(root))
    store.use(None)
    found: dict[str, Outcome] = {}
    jobs = []
    cases = [(f"file-{name}", cells, asked, "") for name, cells, asked, _ in READS]
    cases += [(f"variable-{name}", [cell], asked, "") for name, cell, asked in VARIABLES]
    cases += [(f"switch-{name}", cells, False, undo) for name, cells, undo in SWITCHES]
    for name, cells, asked, undo in cases:
        found[name] = outcome = _run(one_shell, cells, asked, undo)
        if outcome.made is not None:
            outcome.made.write(far / name)
            jobs.append([str(far / name), {"MODE": "there"} if name.startswith("variable-") else {}, "predict(3)"])
    for path in LIMITS:
        (root / path).unlink()
    for outcome, answer in zip([o for o in found.values() if o.made is not None], elsewhere(jobs), strict=True):
        outcome.there = answer
    yield found
    monkey.undo()
    store.use(None)
    for name in [n for n in sys.modules if n.partition(".")[0] in ("helper_files", "pack_files")]:
        del sys.modules[name]


def _run(shell: Any, cells: list[str], asked: bool, undo: str) -> Outcome:
    recorder.detach()
    shell.reset(new_session=True)
    recorder.attach(shell)
    found = Outcome()
    try:
        for cell in cells:
            shell.run_cell(cell, store_history=True).raise_error()
        with watching.watching() as seen:
            found.here = repr(shell.user_ns["predict"](3))
        found.made = cut({"predict": shell.user_ns["predict"]}, module="made", seen=seen if asked else None)
    except Exception as error:
        found.error = error
    finally:
        exec(undo, shell.user_ns)
        recorder.detach()
    return found


def made_of(outcome: Outcome) -> Slice:
    if outcome.error is not None:
        raise outcome.error
    assert outcome.made is not None
    return outcome.made


LIMITS = {"limits.json": '{"top": 3}', "tables/a.csv": "k,v\n1,2\n", "tables/b.csv": "k,v\n1,5\n", "w.txt": "7"}
HELPER = {"helper_files.py": "import json\nfrom pathlib import Path\nHERE = Path(__file__).parent\ndef top():\n    return json.load(open('limits.json'))['top']\ndef own():\n    return (HERE / 'own.txt').read_text()\n", "own.txt": "mine"}
PACKAGE = {"pack_files/__init__.py": "", "pack_files/read.py": "from importlib import resources\ndef words():\n    return resources.files('pack_files').joinpath('words.txt').read_text()\n", "pack_files/words.txt": "a b"}
#: name, cells, whether it is asked before it is cut, and the places of the files that go along
READS = [
    ("open", ["import json\ndef predict(x):\n    with open('limits.json') as file:\n        return min(x, json.load(file)['top'])"], False, {"files/limits.json"}),
    ("path", ["from pathlib import Path\nP = Path('w.txt')\ndef predict(x):\n    return x + int(P.read_text())"], False, {"files/w.txt"}),
    ("pandas", ["import pandas as pd\ndef predict(x):\n    return pd.read_csv('tables/a.csv').v.tolist(), x"], False, {"files/tables/a.csv"}),
    ("numpy", ["import numpy as np\nNAME = 'w.txt'\ndef load(name):\n    return np.loadtxt(name)\ndef predict(x):\n    return float(load(NAME)) + x"], True, {"files/w.txt"}),
    ("from-the-working-folder", ["import os\ndef predict(x):\n    return open(os.path.join(os.getcwd(), 'w.txt')).read() * x"], False, {"files/w.txt"}),
    ("by-a-name-it-makes", ["def predict(x):\n    return open(f'tables/{\"ab\"[x % 2]}.csv').read()"], False, {"files/tables/a.csv", "files/tables/b.csv"}),
    ("only-seen", ["def predict(x):\n    name = ''.join(reversed('txt.w'))\n    return open(name).read() * x"], True, {"files/w.txt"}),
    ("in-a-method", ["class Model:\n    def predict(self, x):\n        return open('w.txt').read() * x\nmodel = Model()\ndef predict(x):\n    return model.predict(x)"], False, {"files/w.txt"}),
    ("absolute", ["import os\nFULL = os.path.abspath('w.txt')\ndef predict(x):\n    return open(FULL).read() * x"], False, {"files/w.txt"}),
    ("if-there", ["import os\ndef predict(x):\n    return x if os.path.exists('w.txt') else -x"], False, {"files/w.txt"}),
    ("a-helper", ["import helper_files\ndef predict(x):\n    return helper_files.top() * x, helper_files.own()"], True, {"files/limits.json", "own.txt"}),
    ("a-package", ["from pack_files import read\ndef predict(x):\n    return read.words() * x"], True, {"pack_files/words.txt"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "places"), [(case[0], case[3]) for case in READS], ids=[case[0] for case in READS])
def test_a_file_that_a_prediction_reads_goes_along(name: str, places: set[str], outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[f"file-{name}"]
    made = made_of(outcome)
    assert {a.path for a in made.artifacts.values() if a.format == "file"} == places
    assert outcome.there == outcome.here, made.source


def test_a_file_that_was_changed_is_refused_by_the_module(run: Any, tmp_path: Path) -> None:
    run("def predict(x):\n    return open('w.txt').read() * x", files=LIMITS).write(tmp_path / "there")
    (tmp_path / "there" / "files" / "w.txt").write_text("8")
    told = "ValueError: files/w.txt is not the file that was written with this module"
    assert elsewhere([[str(tmp_path / "there"), {}, "predict(3)"]]) == [told]


NOT_ALONG = [
    ("outside", ["def predict(x):\n    return open('../far.txt').read()"], False, "predict reads the file '../far.txt' (cell 1, line 2), which lies outside the project; copy it into the project; read it in a cell and use the value"),
    ("outside-and-seen", ["def predict(x):\n    k = 1\n    return open(''.join(['../far', '.txt'])).read()"], True, "predict reads the file '../far.txt' (cell 1, line 3), which lies outside the project; copy it into the project; read it in a cell and use the value"),
    ("large", ["open('big.csv', 'w').write('x' * 11_000_000)\nimport pandas as pd\ndef predict(x):\n    return pd.read_csv('big.csv')"], False, "predict reads the file 'big.csv' (cell 1, line 4), which has 11.0 MB: what goes along may have 10 MB in all; read it in a cell and use the value"),
    ("a-folder", ["import os\ndef predict(x):\n    return os.listdir('tables')"], False, "predict lists the folder 'tables' (cell 1, line 3), which does not travel; read it in a cell and use the value"),
    ("a-folder-seen", ["from pathlib import Path\ndef predict(x):\n    return [p.name for p in Path(*['tables']).iterdir()]"], True, "predict lists the folder 'tables' (cell 1, line 3), which does not travel; read it in a cell and use the value"),
    ("a-secret", ["open('conf.json', 'w').write('{\"db\": {\"password\": \"hunter2\"}}')\nimport json\ndef predict(x):\n    return json.load(open('conf.json'))"], False, "password looks like a secret and is needed by conf.json; a secret is not written into files"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "asked", "message"), [case[1:] for case in NOT_ALONG], ids=[case[0] for case in NOT_ALONG])
def test_a_file_that_cannot_go_along_is_refused_by_name_and_place(cells: list[str], asked: bool, message: str, run: Any) -> None:
    with pytest.raises(errors.SliceRefused) as refused:
        run(*cells, files=LIMITS | {"../far.txt": "7"}, call="predict(3)" if asked else "")
    assert refused.value.message == message


VARIABLES = [
    ("item", "import os\ndef predict(x):\n    return os.environ['MODE']", False),
    ("with-a-default", "import os\ndef predict(x):\n    return os.environ.get('MODE', 'none')", False),
    ("getenv", "from os import getenv\ndef predict(x):\n    return getenv('MODE', 'none')", False),
    ("in", "import os\ndef predict(x):\n    return 'MODE' in os.environ", False),
    ("by-a-constant", "import os\nNAME = 'MODE'\ndef predict(x):\n    return os.environ[NAME]", False),
    ("through-a-function", "import os\ndef setting(name, default=None):\n    return os.environ.get(name, default)\ndef predict(x):\n    return setting('MODE')", False),
    ("read-in-a-cell", "import os\nMODE = os.environ.get('MODE', 'none').upper()\ndef predict(x):\n    return MODE", False),
    ("only-seen", "import os\ndef predict(x):\n    return [os.environ['MO' + part] for part in ['DE']]", True),
]  # fmt: skip


@pytest.mark.parametrize("name", [case[0] for case in VARIABLES])
def test_an_environment_variable_is_listed_and_read_there(name: str, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[f"variable-{name}"]
    assert made_of(outcome).environment == ("MODE",)
    assert outcome.there == outcome.here.replace("here", "there").replace("HERE", "THERE")


SWITCHES = [
    ("numpy", ["import numpy as np\nold = np.seterr(divide='raise')", "def predict(x):\n    try:\n        return float(np.float64(x) / np.float64(0))\n    except FloatingPointError as error:\n        return str(error)"], "np.seterr(**old)"),
    ("sklearn", ["import sklearn, pandas as pd\nfrom sklearn.preprocessing import StandardScaler\nsklearn.set_config(transform_output='pandas')\nscaler = StandardScaler().fit(pd.DataFrame({'a': [1.0, 2.0]}))", "def predict(x):\n    return type(scaler.transform(pd.DataFrame({'a': [x]}))).__name__"], "sklearn.set_config(transform_output='default')"),
    ("pandas", ["import pandas as pd\npd.options.display.max_rows = 3\npd.set_option('display.precision', 2)", "def predict(x):\n    return str(pd.DataFrame({'a': [x / 7] * 9}))"], "pd.reset_option('display.max_rows'); pd.reset_option('display.precision')"),
    ("warnings", ["import warnings\nwarnings.filterwarnings('error', message='too large')", "def predict(x):\n    try:\n        warnings.warn('too large', UserWarning)\n    except UserWarning as error:\n        return repr(error)"], "warnings.filters.pop(0)"),
    ("decimal", ["import decimal\nfrom decimal import Decimal\ndecimal.getcontext().prec = 5\ndecimal.getcontext().rounding = decimal.ROUND_UP", "def predict(x):\n    return str(Decimal(x) / Decimal(7))"], "decimal.setcontext(decimal.Context())"),
    ("zone", ["import os, time\nos.environ['TZ'] = 'Asia/Tokyo'\ntime.tzset()", "def predict(x):\n    return time.strftime('%H:%M', time.localtime(x))"], "os.environ.pop('TZ'); time.tzset()"),
    ("recursion", ["import sys\nold = sys.getrecursionlimit()\nsys.setrecursionlimit(4321)", "def predict(x):\n    return sys.getrecursionlimit()"], "sys.setrecursionlimit(old)"),
]  # fmt: skip


@pytest.mark.parametrize("name", [case[0] for case in SWITCHES])
@pytest.mark.filterwarnings("default")
def test_a_switch_of_a_library_is_set_by_the_module(name: str, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[f"switch-{name}"]
    made = made_of(outcome)
    assert "def _switches():" in made.source
    assert outcome.there == outcome.here, made.source


def test_no_switch_is_set_where_none_was(run: Any) -> None:
    made = run("import numpy as np, pandas as pd, decimal\nfrom sklearn.linear_model import LinearRegression\nmodel = LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0])\ndef predict(x):\n    return model.predict(pd.DataFrame([[x]]).to_numpy()) + np.sqrt(float(decimal.Decimal(2)))")
    assert "_switches" not in made.source


PATCHED = [
    ("setattr", ["import string\ndef f(x):\n    return x\nsetattr(string, 'capwords', f)\ndef predict(x):\n    return string.capwords(x)"], "string.capwords = old", "import string; old = string.capwords", "cell 1 sets string.capwords, which the slice uses; a change to a library does not travel"),
    ("a-method", ["import pandas as pd\ndef f(self):\n    return 7\npd.DataFrame.head = f\ndef predict(df):\n    return df.head()"], "pd.DataFrame.head = old", "import pandas as pd; old = pd.DataFrame.head", "cell 1 sets pd.DataFrame.head, which the slice uses; a change to a library does not travel"),
    ("in-a-function", ["import string\ndef patch(owner):\n    owner.capwords = lambda x: x\npatch(string)", "def predict(x):\n    return string.capwords(x)"], "string.capwords = old", "import string; old = string.capwords", "string.capwords, which the slice uses, was replaced by <lambda> of cell 1; a change to a library does not travel"),
    ("of-a-model", ["from sklearn.linear_model import LinearRegression\nmodel = LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0])\nfor kind in [LinearRegression]:\n    setattr(kind, 'decide', lambda self, x: 1)", "def predict(x):\n    return model.decide(x)"], "del LinearRegression.decide", "from sklearn.linear_model import LinearRegression", "cell 1 sets kind.decide, which the slice uses; a change to a library does not travel"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "undo", "first", "message"), [case[1:] for case in PATCHED], ids=[case[0] for case in PATCHED])
def test_a_library_that_was_changed_is_refused(cells: list[str], undo: str, first: str, message: str, run: Any) -> None:
    names: dict[str, Any] = {}
    exec(first, names)
    try:
        with pytest.raises(errors.SliceRefused) as refused:
            run(*cells)
    finally:
        exec(undo, names)
    assert refused.value.message == message


def test_a_change_that_was_taken_back_or_is_not_used_harms_nobody(run: Any) -> None:
    made = run("import string\nold = string.capwords\nstring.capwords = str\nstring.capwords = old\ndef predict(x):\n    return string.capwords(x)")
    assert "string.capwords(x)" in made.source


def test_a_default_or_an_attribute_of_a_helper_that_changed_on_disk_is_refused(project: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(project))
    text = "HOUR = 60 * 60\nclass Rates:\n    low = 0.1\ndef scale(x, by=2):\n    return x * by\n"
    run("import helper_disk\ndef predict(x):\n    return helper_disk.scale(x)", files={"helper_disk.py": text})
    try:
        for old, new, what in (("60 * 60", "60 * 61", "helper_disk.HOUR is 3600"), ("0.1", "0.2", "helper_disk.Rates.low is 0.1"), ("by=2", "by=3", "helper_disk.scale has the default by=2")):
            (project / "helper_disk.py").write_text(text.replace(old, new))
            with pytest.raises(errors.SliceRefused) as refused:
                run()
            assert refused.value.message.startswith(what), refused.value.message
            assert refused.value.next == "import importlib, helper_disk; importlib.reload(helper_disk)"
        (project / "helper_disk.py").write_text(text)
        assert run().files["helper_disk.py"] == text.encode()
    finally:
        sys.modules.pop("helper_disk")


def test_watching_costs_little_and_hears_only_its_own_thread(project: Path) -> None:
    (project / "w.txt").write_text("7")
    with watching.watching() as seen:
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        (project / "w.txt").read_text()
        (project / "new.txt").write_text("8")
        (project / "new.txt").read_text()
    (project / "w.txt").read_text()
    assert [Path(r.path).name for r in seen.files if Path(r.path).is_relative_to(project)] == ["w.txt"]
    assert type(os.environ._data) is dict  # type: ignore[attr-defined]
