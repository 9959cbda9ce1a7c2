"""The whole proof: requirements that are found and dropped, packages that were changed on their way, environments that serve."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nbml
import serving
from nbml import errors, store
from nbml.packaging import build, environments, proving
from nbml.slicing.values import Slice

pytestmark = pytest.mark.slow

Run = Callable[[str], Any]

CELLS = (
    "import nbml, numpy as np, pandas as pd",
    "RATE = 0.35\nW = [3.0, 1.0]\ndf = pd.DataFrame({'a': [1.25, 2.1, 3.3], 'b': [4.0, 0.7, 9.9]})",
    "def share(df):\n    return df['a'].to_numpy().astype('float64') * RATE",
    "def predict(df):\n    return share(df) + df.to_numpy() @ W + 2",
)


@pytest.fixture
def changed(run: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], errors.ProofFailed]:
    """Packages the cells above with one text of the written module replaced; gives the refusal."""
    for cell in CELLS:
        run(cell)
    write = Slice.write

    def package(old: str, new: str) -> errors.ProofFailed:
        def other(self: Slice, folder: Path | str) -> Path:
            path = write(self, folder)
            text = path.read_text()
            assert text.count(old) == 1, text
            path.write_text(text.replace(old, new))
            return path

        monkeypatch.setattr(Slice, "write", other)
        with pytest.raises(errors.ProofFailed) as caught:
            run("nbml.package(predict, 'plan', on=df)")
        assert store.current().find("service", "plan") is None
        assert not list(store.current().room("services").glob("plan/*"))
        return caught.value

    return package


def test_a_changed_constant_is_refused_and_named(changed: Callable[[str, str], errors.ProofFailed]) -> None:
    error = changed("RATE = 0.35", "RATE = 0.36")
    assert str(error) == (
        "plan is not proven: row 0 of df: the notebook's model gives 10.1875, the packaged one 10.2 (3 of 3 rows differ); "
        "likely cause: a mutated global: RATE is 0.36 in the module and 0.35 in the notebook; nothing was built\n"
        "Try: %nbml slice predict"
    )
    text = repr(error.proof)
    assert text.startswith("[not proven] plan · 3 of 3 rows of df differ")
    assert [line.split() for line in text.splitlines() if line.split()[:1] == ["0"]] == [["0", "10.1875", "10.2"]]
    error = changed("+ 2\n", "+ 3\n")
    assert "likely cause: a changed constant: predict has 3 in the module and 2 in the notebook; nothing" in error.message


def test_another_order_of_columns_is_refused_and_named(changed: Callable[[str, str], errors.ProofFailed]) -> None:
    for old, new in (
        ("df.to_numpy() @ W", "df[['b', 'a']].to_numpy() @ W"),
        ("    return share(df)", "    df = df.set_axis(['b', 'a'], axis=1)[['a', 'b']]\n    return share(df)"),
    ):
        message = changed(old, new).message
        assert "(3 of 3 rows differ); likely cause: the order of columns: the answers are those for columns as b, a; nothing" in message


def test_another_dtype_is_refused_and_named(changed: Callable[[str, str], errors.ProofFailed]) -> None:
    error = changed("df.to_numpy() @ W + 2", "(df.to_numpy() @ W + 2).astype('float32')")
    assert "likely cause: dtype: the answers agree in single precision, so somewhere float64 became float32 (" in error.message
    error = changed("    return share(df)", "    df = df.astype('float32')\n    return share(df)")
    assert "likely cause: dtype: " in error.message


def test_what_is_missing_is_found_and_what_is_not_needed_is_dropped(run: Run, project: Path) -> None:
    run("import importlib, nbml\ntexts = ['*a*', 'b']")
    run("def predict(texts):\n    tool = importlib.import_module('mis' + 'tune')\n    return [tool.html(text) for text in texts]")
    version = run("nbml.package(predict, 'marked', on=texts)")
    manifest = version.manifest
    names = [line.partition("==")[0] for line in manifest["requirements"]]
    assert names == ["bentoml", "httptools", "mistune", "numpy", "orjson", "uvicorn", "uvloop"]
    assert manifest == json.loads((version.path / "src" / "manifest.json").read_text())
    assert (version.path / "src" / "requirements.txt").read_text().split() == manifest["requirements"]
    assert "mistune" in (version.path / "bento.yaml").read_text()
    assert "pandas" not in (version.path / "bento.yaml").read_text().partition("packages:")[2].partition("\n  lock")[0]
    assert (manifest["proof"]["closed"], "wandb" in manifest["pins"], manifest["pins"]["mistune"]) == (True, False, names and
            manifest["requirements"][2].partition("==")[2])  # fmt: skip
    assert version.predict(["*c*"]) == run("predict(['*c*'])")
    again = run("nbml.package(predict, 'marked', on=texts)")
    assert again.same
    assert [path.name for path in (project / ".nbml" / "environments").iterdir() if path.name.startswith(".")] == []


def test_code_that_goes_another_way_without_a_module_gets_it(run: Run) -> None:
    run("import importlib, mistune, nbml, pandas as pd\ndf = pd.DataFrame({'a': [1.0, 2.0]})")
    run(
        "def predict(df):\n    try:\n        importlib.import_module('mis' + 'tune')\n    except ImportError:\n        return df['a'] * 0\n"
        "    return df['a'] * 2"
    )
    version = run("nbml.package(predict, 'other', on=df)")
    assert "mistune" in {line.partition("==")[0] for line in version.manifest["requirements"]}


def test_a_deployment_and_predict_run_in_the_proven_environment(project_of: Path) -> None:
    version = nbml.service("churn@1")
    home = environments.of(store.current(), version.thing.body)
    assert home is not None
    assert version.thing.body["environment"] == home.folder.relative_to(store.current().root).as_posix()
    shutil.rmtree(home.folder)
    X, _ = serving.data()
    assert (version.predict(X.head()) == serving.model(1.0).predict(X.head())).all()
    assert home.folder.is_dir(), "made again"
    shutil.rmtree(home.folder)
    found = nbml.deploy("churn@1")
    line = Path(f"/proc/{found.status.worker}/cmdline").read_bytes().split(b"\0")
    assert os.fsdecode(line[0]) == home.python
    assert serving.ask(found.url, {"rows": serving.rows()})[0] == 200
    loaded = Path(f"/proc/{found.status.worker}/maps").read_text()
    assert serving.ask(found.url, {"rows": serving.rows(3)})[0] == 200
    files = {entry.split()[-1] for entry in Path(f"/proc/{found.status.worker}/maps").read_text().splitlines() if ".so" in entry}
    assert files <= {entry.split()[-1] for entry in loaded.splitlines()}
    found.stop()


def test_an_upgrade_below_a_proven_service_is_told(project_of: Path) -> None:
    version = nbml.service("churn@1")
    body = json.loads(json.dumps(version.thing.body))
    body["environment"] = ".nbml/environments/gone"
    body["manifest"]["pins"]["pandas"] = "1.0"
    with pytest.raises(errors.DeployError) as caught:
        environments.of(store.current(), body)
    have = version.manifest["pins"]["pandas"]
    assert str(caught.value) == (
        f"churn@1 was proven with pandas 1.0 ({have} is installed now): package it again, or\nTry: %pip install pandas==1.0"
    )
    store.current().update(version.thing, body)
    said = version.path / "src" / "manifest.json"
    said.chmod(0o644)
    said.write_text(json.dumps(body["manifest"]))
    with pytest.raises(errors.DeployError, match=r"was proven with pandas 1\.0"):
        nbml.deploy("churn@1")
    assert not (store.current().folder / "deployments" / "churn").exists()


@pytest.fixture
def project_of(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A project with churn@1 and churn@2 packaged."""
    with serving.place(tmp_path, tmp_path_factory.getbasetemp()) as root:
        yield root


def test_an_old_bentoml_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("import nbml, pandas as pd\ndf = pd.DataFrame({'a': [1.0, 2.0]})\ndef predict(df):\n    return df['a'] * 2")
    monkeypatch.setattr(build, "version", lambda name: "1.4.38")
    with pytest.raises(errors.BadInput) as caught:
        run("nbml.package(predict, 'double', on=df)")
    assert str(caught.value) == (
        "BentoML 1.4.38 is installed; services run on 1.4.39 or later\nTry: %pip install 'bentoml>=1.4.39,<1.5'"
    )


def test_from_the_real_index_it_is_proven(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("import nbml\ndef predict(texts):\n    return [text.upper() for text in texts]")
    try:
        version = run("nbml.package(predict, 'upper', on=['a', 'b'], proof='index')")
    except errors.ProofFailed as error:
        if "the package index does not give" in error.message:
            pytest.skip(f"no package index: {error.message}")
        raise
    assert version.manifest["proof"]["level"] == "index"
    assert version.thing.body["environment"].endswith("-index")
    assert version.predict(["c"]) == ["C"]
    monkeypatch.setattr(proving, "prove", lambda *what: pytest.fail("proven again"))
    assert run("nbml.package(predict, 'upper', on=['a', 'b'])").same, "what the index gave is more than what is asked now"
