"""What cannot travel is refused: the whole message names the object and where it is needed."""

# ruff: noqa: E501 - whole notebooks, a line each

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nbml import errors
from nbml.slicing import Slice, cut, recorder

Cut = Callable[..., Slice]


@pytest.fixture
def cut_after(notebook: Any) -> Cut:
    """Runs cells and cuts a name."""
    recorder.attach(notebook)

    def run(*cells: str, name: str = "predict", **options: Any) -> Slice:
        for cell in cells:
            notebook.run_cell(cell, store_history=True).raise_error()
        return cut({name: notebook.user_ns[name]}, module="made", **options)

    return run


REFUSED = [
    ("open-file", ["log = open('log.txt', 'w')\ndef predict(x):\n    log.write(x)"], "log is an open file ('log.txt'), which cannot leave the notebook; needed by predict: make it inside predict, when it is called"),
    ("lock", ["import threading\nclass Client:\n    def __init__(self):\n        self.parts = {'lock': threading.Lock()}\nclient = Client()\ndef predict(x):\n    return client, x"],
     "client.parts['lock'] is a lock, which cannot leave the notebook; needed by predict: make it inside predict, when it is called"),
    ("socket", ["import socket\nwire = socket.socket()\ndef predict(x):\n    return wire", "wire.close()"], "wire is a socket, which cannot leave the notebook; needed by predict: make it inside predict, when it is called"),
    ("generator", ["numbers = (n for n in range(9))\nnext(numbers)\ndef predict(x):\n    return next(numbers)"], "numbers is a generator that has begun, which cannot leave the notebook; needed by predict: make it inside predict, when it is called"),
    ("database", ["import sqlite3\ndb = sqlite3.connect(':memory:')\ndef predict(x):\n    return db.execute(x)", "db.close()"],
     "db is a database connection (sqlite3.Connection), which cannot leave the notebook; needed by predict: make it inside predict, when it is called"),
    ("exec", ["exec('def helper(x):\\n    return x')\ndef predict(x):\n    return helper(x)"],
     "the function helper, needed by predict, has no source: it was made by exec or eval, or its code was replaced"),
    ("undefined", ["def predict(x):\n    return x * rate"], "predict uses rate, which is not defined in the notebook"),
    ("undefined-deeper", ["def helper(x):\n    return x * rate\ndef predict(x):\n    return helper(x)"], "helper uses rate, which is not defined in the notebook"),
    ("display", ["def predict(x):\n    display(x)"], "predict uses display, which only a notebook has"),
    ("shell-line", ["def predict(x):\n    !echo {x}"], "predict uses get_ipython, which only a notebook has"),
    ("line-magic", ["def predict(x):\n    %time y = x\n    return y"], "predict uses get_ipython, which only a notebook has"),
    ("last-output", ["1 + 1\ndef predict(x):\n    return _ + x"], "predict uses _, which only a notebook has"),
    ("nbml", ["import nbml\ndef predict(x):\n    nbml.log(x=x)"], "predict uses nbml, and nbml itself is not in a service"),
    ("code-replaced", ["def predict(x):\n    return 1\npredict.__code__ = eval('lambda x: 2').__code__"],
     "the function predict, needed by predict, has no source: it was made by exec or eval, or its code was replaced"),
    ("older-decorator-of-a-method", ["def deco(f):\n    return lambda self, x: f(self, x) + 1", "class Model:\n    @deco\n    def run(self, x):\n        return x\nm = Model()\ndef predict(x):\n    return m.run(x)", "def deco(f):\n    return lambda self, x: 1000"],
     "Model.run was made with an older deco than the notebook has now; run its cell again"),
    ("pickle-that-cannot-be-read", ["class Odd(Exception):\n    def __init__(self, message, *, code):\n        super().__init__(message)\n        self.code = code\nodd = Odd('m', code=3)\ndef predict(x):\n    return odd.code"],
     "odd cannot be made again from a pickle of it (TypeError: Odd.__init__() missing 1 required keyword-only argument: 'code'); see to its class's __reduce__"),
    ("shared-with-a-class", ["def make():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n    class View:\n        def now(self):\n            return n\n    return up, View\nup, View = make()\ndef predict(x):\n    up()\n    return View().now()"],
     "View and up share an assigned n of the function around them; keep it in an object of both"),
    ("lock-of-an-object", ["import threading\nclass Guard:\n    def __init__(self):\n        self.lock = threading.Lock()\n    def predict(self, x):\n        return x\npredict = Guard()"],
     "predict.lock is a lock, which cannot leave the notebook; needed by predict: make it inside the method that uses it"),
    ("made-by-exec", ["made = {}\nexec('f = lambda v: v + 1', made)\nf = made['f']\ndef predict(x):\n    return f(x)"],
     "f is a function made by exec or eval, which cannot leave the notebook; needed by predict: make it inside predict, when it is called"),
    ("library-patched", ["import string\ndef predict(x):\n    return string.digits_of(x)", "string.digits_of = str"],
     "cell 2 sets string.digits_of, which the slice uses; a change to a library does not travel"),
    ("older-wrapped", ["from functools import lru_cache\n@lru_cache\ndef f(x):\n    return x\nclass Box:\n    pass\nbox = Box()\nbox.f = f", "def f(x):\n    return x * 2\ndef predict(x):\n    return box.f(x)"],
     "box holds f as an older cell made it, wrapped by _lru_cache_wrapper; run the fit again"),
    ("library-closure", ["import operator, contextlib\ndef part():\n    yield 1\nclass Box: pass\nbox = Box()\nbox.steps = [1, contextlib.contextmanager(operator.neg)]\ndef predict(x):\n    return box"],
     "box.steps[1] is a function made inside contextlib.contextmanager, which cannot leave the notebook; needed by predict: make it inside predict, when it is called"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_cannot_travel_is_refused_by_name(cells: list[str], message: str, cut_after: Cut) -> None:
    with pytest.raises(errors.SliceRefused) as refused:
        cut_after(*cells)
    assert refused.value.message == message


SECRETS = [
    ("API_KEY", "API_KEY = 'k-123'\ndef predict(x):\n    return API_KEY", "API_KEY looks like a secret and is needed by predict; a secret is not written into files"),
    ("password", "def predict(x, password='hunter2'):\n    return x", "password looks like a secret and is needed by the slice; a secret is not written into files"),
    ("token", "settings = {'token': 'abc', 'n': 1}\ndef predict(x):\n    return settings", "token looks like a secret and is needed by the slice; a secret is not written into files"),
    ("auth_token", "class Client:\n    def __init__(self):\n        self.auth_token = 'abc'\nclient = Client()\ndef predict(x):\n    return client",
     "client.auth_token looks like a secret and is needed by predict; a secret is not written into files"),
    ("URL", "URL = 'postgresql://me:hunter2@db/x'\ndef predict(x):\n    return URL", "URL looks like a secret and is needed by predict; a secret is not written into files"),
    ("API_TOKEN", "import os\nAPI_TOKEN = os.environ.get('API_TOKEN', 'abc')\ndef predict(x):\n    return API_TOKEN", "API_TOKEN looks like a secret and is needed by the slice; a secret is not written into files"),
    ("Authorization", "def predict(x):\n    headers = {'Authorization': f'Bearer abc-12345{x}'}\n    return headers", "Authorization looks like a secret and is needed by the slice; a secret is not written into files"),
    ("URL", "def predict(x):\n    return str('mysql://me:hunter2@db/x') + x", "URL looks like a secret and is needed by the slice; a secret is not written into files"),
    ("TOKEN", "def predict(x):\n    return [x, 'sk-abcdefghijklmnopqrstuvwxyz']", "TOKEN looks like a secret and is needed by the slice; a secret is not written into files"),
    ("api_key", "class Client:\n    api_key = 'hunter2'\nclient = Client()\ndef predict(x):\n    return client", "Client.api_key looks like a secret and is needed by Client; a secret is not written into files"),
    ("password", "import os\ndef predict(x):\n    password = os.getenv('PW') or 'hunter2'\n    return x + password", "password looks like a secret and is needed by the slice; a secret is not written into files"),
    ("password", "class Client:\n    pass\nclient = Client()\nclient.options = {'db': [{'password': b'hunter2'}]}\ndef predict(x):\n    return client", "client.password looks like a secret and is needed by predict; a secret is not written into files"),
    ("X_Api_Key", "def predict(x):\n    return [('X-Api-Key', 'hunter2'), x]", "X-Api-Key looks like a secret and is needed by the slice; a secret is not written into files"),
    ("secret", "def make(secret):\n    return lambda x: secret + x\npredict = make('abc')", "secret looks like a secret and is needed by predict; a secret is not written into files"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "cell", "message"), SECRETS, ids=[case[0] for case in SECRETS])
def test_a_secret_is_refused_and_let_through_by_name(name: str, cell: str, message: str, cut_after: Cut) -> None:
    with pytest.raises(errors.SliceRefused) as refused:
        cut_after(cell)
    assert refused.value.message == message
    assert refused.value.next == f'{name} = os.environ["{name}"]'
    assert cut_after(allow_secret=(refused.value.message.partition(" ")[0].rpartition(".")[2],)).source


def test_the_line_that_is_proposed_for_a_secret_works(cut_after: Cut, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "k-123")
    with pytest.raises(errors.SliceRefused) as refused:
        cut_after("import os\nAPI_KEY = 'k-123'\ndef predict(x):\n    return API_KEY + x")
    made = cut_after(str(refused.value.next))
    assert 'API_KEY = os.environ["API_KEY"]' in made.source
    assert "k-123" not in made.source
    assert made.environment == ("API_KEY",)


def test_a_secret_in_a_helper_module_is_refused(project: Path, cut_after: Cut, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(project))
    (project / "helper_secret.py").write_text("API_KEY = 'k-123'\ndef scale(x):\n    return x * 2\n")
    with pytest.raises(errors.SliceRefused) as refused:
        cut_after("import helper_secret\ndef predict(x):\n    return helper_secret.scale(x)")
    assert refused.value.message == "API_KEY looks like a secret and is needed by helper_secret.py; a secret is not written into files"
    assert "k-123" in cut_after(allow_secret=("API_KEY",)).files["helper_secret.py"].decode()
    sys.modules.pop("helper_secret")


def test_words_that_are_no_secrets_harm_nobody(cut_after: Cut) -> None:
    made = cut_after(
        "from sklearn.feature_extraction.text import TfidfVectorizer\nvectors = TfidfVectorizer().fit(['a word', 'another word'])",
        "import os\ntoken_columns = ['a']\nheader = {'Authorization': '{token}'}\nunk_token = 'UNK'\n"
        "def predict(x):\n    auth_token = f\"Bearer {os.environ['T']}\"\n    return vectors.transform(x), token_columns, header, unk_token, auth_token",
    )
    assert made.environment == ("T",)


def test_an_unneeded_secret_harms_nobody(cut_after: Cut) -> None:
    made = cut_after("password = 'hunter2'\npad_token = '<pad>'\ndef predict(x):\n    return x + pad_token")
    assert "hunter2" not in made.source
    assert "pad_token = '<pad>'" in made.source


def test_a_helper_that_was_changed_on_disk_is_refused_and_the_line_given_mends_it(project: Path, cut_after: Cut, notebook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(project))
    helper = project / "helper_changed.py"
    helper.write_text("RATE = 1\ndef scale(x):\n    return x * RATE\n")
    cut_after("import helper_changed\ndef predict(x):\n    return helper_changed.scale(x)")
    helper.write_text("RATE = 1\ndef scale(x):\n    return x * RATE + 100\n")
    with pytest.raises(errors.SliceRefused) as refused:
        cut_after()
    assert refused.value.message == "helper_changed.scale in the kernel is not what helper_changed.py says now"
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (project / "__pycache__").exists() and [p.unlink() for p in (project / "__pycache__").iterdir()]
    notebook.run_cell(str(refused.value.next)).raise_error()
    assert b"+ 100" in cut_after().files["helper_changed.py"]
    notebook.run_cell("helper_changed.RATE = 5").raise_error()
    with pytest.raises(errors.SliceRefused) as refused:
        cut_after()
    assert refused.value.message == "helper_changed.RATE is 5 in the kernel and 1 in helper_changed.py"
    sys.modules.pop("helper_changed")


def test_a_module_outside_the_project_is_refused(cut_after: Cut, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "helper_far.py").write_text("def far(x):\n    return x\n")
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))
    with pytest.raises(errors.SliceRefused) as refused:
        cut_after("from helper_far import far\ndef predict(x):\n    return far(x)")
    assert refused.value.message == "predict uses the module helper_far, which no installed distribution has and which is not in the project"
    sys.modules.pop("helper_far")


def test_one_name_for_two_values_is_refused(notebook: Any) -> None:
    recorder.attach(notebook)
    notebook.run_cell("model = 1\nother = {'k': 2}\ndef predict(x):\n    return model + x")
    with pytest.raises(errors.SliceRefused) as refused:
        cut({"model": notebook.user_ns["other"], "predict": notebook.user_ns["predict"]}, module="made")
    assert refused.value.message == "the name model stands for two different values; predict needs both: rename one"


def test_what_is_moved_for_pickling_is_put_back(cut_after: Cut, notebook: Any) -> None:
    made = cut_after("class Model:\n    pass\ndef f(x):\n    return x\nmodel = Model()\nmodel.f = f\nmodel.g = lambda x: 1\ndef predict(x):\n    return model")
    names = notebook.user_ns
    assert made.artifacts["model"].format == "skops"
    assert [(v.__module__, v.__qualname__) for v in (names["Model"], names["f"], names["model"].g)] == [("__main__", "Model"), ("__main__", "f"), ("__main__", "<lambda>")]
    assert "made" not in sys.modules
    assert b"__main__" not in made.artifacts["model"].content
