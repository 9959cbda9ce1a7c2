"""Closed environments of small distributions that the tests install themselves: what is visible, and what is told."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nbml import errors, store
from nbml.packaging import environments
from nbml.packaging.environments import index, layout, local
from nbml.packaging.environments.closure import close
from nbml.packaging.environments.installed import provider

Install = Callable[..., Path]


@pytest.fixture
def site(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of distributions, first on ``sys.path``."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.fixture
def install(site: Path) -> Install:
    """Installs a distribution: ``files`` by path, what it ``requires``, with or without a RECORD; gives its ``.dist-info``."""

    def put(name: str, files: dict[str, str], *requires: str, version: str = "1.0", record: bool = True, **more: str) -> Path:
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        said = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {line}" for line in requires)]
        (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *said]) + "\n\nRequires-Dist: not-this-one\n")
        for path, text in files.items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_text(text)
        for key, text in more.items():
            (info / key.replace("_json", ".json").replace("_txt", ".txt")).write_text(text)
        if record:
            listed = [*files, *(f"{info.name}/{path.name}" for path in info.iterdir()), f"{info.name}/RECORD"]
            (info / "RECORD").write_text("".join(f"{path},,\n" for path in listed))
        return info

    return put


def seen(python: str, *modules: str, cwd: Path | None = None, **env: str) -> list[str]:
    """The modules of these that a process of an environment can import."""
    code = (
        "import importlib, sys\nfor name in sys.argv[1:]:\n    try:\n        importlib.import_module(name)\n        print(name)\n"
        "    except ImportError:\n        pass"
    )
    done = subprocess.run(
        [python, "-I", "-B", "-c", code, *modules], cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def make(*requirements: str, level: str = "local") -> environments.Environment:
    return environments.make(store.current(), requirements, level)


def test_a_closure_follows_extras_and_markers(install: Install) -> None:
    install("a", {"a.py": ""}, "b[fast]>=1", "gone; python_version < '3'", "tests; extra == 'test'", "c[x]; sys_platform != 'nowhere'")
    install("b", {"b.py": ""}, "d; extra == 'fast'", "e; extra == 'slow'")
    install("c", {"c.py": ""}, "b; extra == 'x' and python_version >= '3'", "E.e; extra == 'y' or extra == 'x'")
    install("d", {"d.py": ""}, "a")
    install("e", {"e.py": ""})
    install("e-e", {"e_e.py": ""})
    assert close(["a==1.0"]).pins == {"a": "1.0", "b": "1.0", "c": "1.0", "d": "1.0", "e-e": "1.0"}
    assert close(["a==1.0"]).notes == ()


def test_what_metadata_ask_for_and_is_not_so_is_told_with_the_line_that_mends_it(install: Install) -> None:
    install("a", {"a.py": ""}, "b>=2", "gone>3", "sub-mod")
    install("b", {"b.py": ""})
    install("Sub.Mod", {"sub_mod.py": ""})
    found = make("a==1.0")
    assert found.notes == (
        "a asks for b>=2, and b 1.0 is installed: %pip install 'b>=2'",
        "a asks for gone>3, and gone is not installed: %pip install 'gone>3'",
    )
    assert (found.closed, found.pins) == (True, {"a": "1.0", "b": "1.0", "Sub.Mod": "1.0"})
    with pytest.raises(errors.ProofFailed) as caught:
        make("a==2.0")
    assert str(caught.value) == "a==2.0 is needed, and a 1.0 is installed; nothing was built\nTry: %pip install 'a==2.0'"
    with pytest.raises(errors.ProofFailed, match="gone==1 is needed, and gone is not installed"):
        make("gone==1")


def test_ten_probes_find_nothing_of_the_kernel(install: Install, site: Path, tmp_path: Path) -> None:
    install("a", {"mine/__init__.py": "", "shared/a/__init__.py": "", "shared/both/one.py": "", "solo.py": "", "a.pth": "import leak\n"})
    install("other", {"other.py": "", "leak.py": "", "shared/b.py": "", "shared/both/two.py": "", "mine_too/__init__.py": ""})
    (here := tmp_path / "here").mkdir()
    (here / "beside.py").write_text("")
    (elsewhere := tmp_path / "elsewhere").mkdir()
    for name in ("bypath", "usercustomize"):
        (elsewhere / f"{name}.py").write_text("")
    found = make("a==1.0")
    assert seen(found.python, "mine", "shared.a", "shared.both.one", "solo") == ["mine", "shared.a", "shared.both.one", "solo"]
    probes = (
        "other", "leak", "shared.b", "shared.both.two", "wandb", "IPython", "nbml", "google.protobuf", "pytest", "beside", "bypath",
        "usercustomize",
    )  # fmt: skip
    assert set(probes) - {"nbml"} <= set(seen(sys.executable, *probes, cwd=here)) | {"bypath", "beside", "usercustomize", *probes[:4]}
    assert seen(found.python, *probes, cwd=here, PYTHONPATH=str(elsewhere), PYTHONUSERBASE=str(elsewhere)) == []
    listed = "import importlib.metadata as m, sys; print(*sorted(d.name for d in m.distributions()), sys.prefix)"
    said = subprocess.run([found.python, "-I", "-c", listed], capture_output=True, text=True, check=True, cwd="/").stdout.split()
    assert said == ["a", str(found.folder)]
    inside = layout.site(found.folder)
    assert (inside / "mine").is_symlink()
    assert not (inside / "shared").is_symlink()
    assert (inside / "shared" / "a").is_symlink()


def test_it_is_found_again_and_not_after_an_upgrade(install: Install, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = install("a", {"a.py": "value = 1"}, "b")
    install("b", {"b.py": ""})
    first = make("a==1.0")
    again = make("a==1.0", "b==1.0")
    assert again.folder == first.folder, "one environment for one closure"
    monkeypatch.setattr(local, "fill", lambda *what: pytest.fail("made again"))
    assert make("a==1.0") == first
    monkeypatch.undo()
    sys.path.insert(0, str(site))
    try:
        shutil.rmtree(info)
        install("a", {"a.py": "value = 2"}, "b", version="1.1")
        assert environments.load(first.folder) is None, "what is below the links is another version now"
        second = make("a==1.1")
        assert second.folder != first.folder
        shutil.rmtree(second.folder)
        assert make("a==1.1") == second
        rest = {path.name for path in second.folder.parent.iterdir()}
        assert rest == {"asked", first.folder.name, second.folder.name}
    finally:
        sys.path.remove(str(site))


def test_editable_is_refused_and_without_a_record_it_is_told(install: Install, site: Path) -> None:
    install("linked", {}, direct_url_json=json.dumps({"url": "file:///home/me/linked", "dir_info": {"editable": True}}))
    with pytest.raises(errors.ProofFailed) as caught:
        make("linked==1.0")
    assert str(caught.value) == (
        "linked is needed, and it is an editable installation: what it is now is in no package; nothing was built\n"
        "Try: %pip install 'linked @ file:///home/me/linked'"
    )
    install("bare", {}, record=False)
    with pytest.raises(errors.ProofFailed) as caught:
        make("bare==1.0")
    assert str(caught.value) == (
        "bare==1.0 is needed, and its installation has no list of its files (RECORD); nothing was built\n"
        "Try: %pip install --ignore-installed --no-deps bare==1.0"
    )
    install("system", {"system/__init__.py": "", "alone.py": ""}, record=False, top_level_txt="system\nalone\n")
    found = make("system==1.0")
    assert (found.closed, found.notes) == (False, (
        "the environment is not closed: system==1.0 has no list of its files (RECORD), and alone, system is linked whole: "
        "%pip install --ignore-installed --no-deps system==1.0",
    ))  # fmt: skip
    assert seen(found.python, "system", "alone", "linked") == ["system", "alone"]


def test_bytecode_is_kept_beside_what_was_installed_without(install: Install, site: Path) -> None:
    install("a", {"a/__init__.py": "import a.part", "a/part.py": ""})
    found = make("a==1.0")
    assert seen(found.python, "a") == ["a"]
    assert not list(site.rglob("*.pyc")), "nothing is written where the kernel's own lie"
    assert {path.name.partition(".")[0] for path in (found.folder / "pycache").rglob("*.pyc")} >= {"__init__", "part"}
    shutil.rmtree(found.folder)
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(site)], check=True)
    again = make("a==1.0")
    assert seen(again.python, "a") == ["a"]
    assert not (again.folder / "pycache").exists()


def test_the_distribution_of_a_module(install: Install) -> None:
    install("a", {"space/one/__init__.py": "", "space/one/deep.py": ""})
    install("b", {"space/two.py": "", "flat.py": ""})
    asked = ("space.one.deep", "space.two", "flat", "space.none", "no")
    assert [one and one.name for one in map(provider, asked)] == ["a", "b", "b", "a", None]


def wheel(folder: Path, name: str, version: str) -> None:
    """A wheel that holds one module."""
    files = {
        f"{name}.py": f"version = {version!r}\n",
        f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{name}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digest = {path: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode() for path, text in files.items()}
    record = "".join(f"{path},sha256={digest[path]},{len(text)}\n" for path, text in files.items())
    files[f"{name}-{version}.dist-info/RECORD"] = record + f"{name}-{version}.dist-info/RECORD,,\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_from_an_index_it_is_installed_for_real(
    install: Install, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    (wheels := tmp_path / "wheels").mkdir()
    wheel(wheels, "nbml_probe", "1.0")
    install("nbml-probe", {"nbml_probe.py": "version = 'of the kernel'"})
    install("nbml-absent", {"nbml_absent.py": ""})
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "UV_CACHE_DIR": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    if tool == "pip":
        monkeypatch.setattr(index, "_uv", lambda: None)
    elif index._uv() is None:
        pytest.skip("uv is not installed")
    found = make("nbml-probe==1.0", level="index")
    assert (found.level, found.closed, found.folder.name.endswith("-index")) == ("index", True, True)
    assert not (layout.site(found.folder) / "nbml_probe.py").is_symlink()
    assert seen(found.python, "nbml_probe", "wandb", "pip") == ["nbml_probe"]
    monkeypatch.setattr(index, "fill", lambda *what: pytest.fail("installed again"))
    assert make("nbml-probe==1.0", level="index") == found
    monkeypatch.undo()
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(tmp_path / "site-packages"))
        for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": os.devnull}.items():
            patch.setenv(name, value)
        if tool == "pip":
            patch.setattr(index, "_uv", lambda: None)
        with pytest.raises(errors.ProofFailed) as caught:
            make("nbml-absent==1.0", level="index")
    assert caught.value.message.startswith(f"the package index does not give what the model needs: {tool}: ")
    assert "nbml-absent" in caught.value.message
    assert caught.value.instead == ("proof", "local")
    assert not list((project / ".nbml" / "environments").glob(".making-*"))


def test_without_an_index_it_fails_at_once_and_says_so(install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install("nbml-probe", {"nbml_probe.py": ""})
    for name in index.OWN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://user:secret@127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:secret@127.0.0.1:9/simple")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(errors.ProofFailed) as caught:
        make("nbml-probe==1.0", level="index")
    assert "the package index does not give what the model needs: " in caught.value.message
    assert "secret" not in caught.value.message
