"""The house stands as it is drawn: floors, doors, names, and what loading costs."""

from __future__ import annotations

import ast
import json
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nbml

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "nbml"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def modules() -> list[str]:
    """Every module of nbml, but those that are a program or need JupyterLab's server process."""
    found = [m.name for m in pkgutil.walk_packages([str(SOURCE)], "nbml.")]
    return [name for name in found if not name.endswith("__main__")]


def test_the_import_contracts_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "0 broken" in done.stdout


def test_the_architecture_page_has_the_floors_of_the_contract() -> None:
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    rooms = [room.strip() for layer in layers if not layer.startswith("(") for room in layer.split("|")]
    page = re.findall(r"^\| \d \| `(\w+)` \|", (ROOT / "ARCHITECTURE.md").read_text(), re.M)
    assert page == rooms
    real = {p.stem for p in SOURCE.iterdir() if (p.is_dir() or p.suffix == ".py") and not p.name.startswith((".", "__pycache__"))}
    assert real - {"__init__", "labextension", "py"} == set(rooms)


def test_loading_imports_the_standard_library_only() -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "import nbml\n"
        "print(sorted({m.partition('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.strip() == "['nbml']"


def test_load_ext_imports_nothing_but_ipython() -> None:
    code = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "from IPython.terminal.interactiveshell import TerminalInteractiveShell\n"
        "ip = InteractiveShell.instance()\n"
        "ip.run_line_magic('history', '-n 1')\n"
        "before = set(sys.modules)\n"
        "ip.run_line_magic('load_ext', 'nbml')\n"
        "new = {m.partition('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names)\n"
        "print(sorted(new))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.strip().splitlines()[-1] in ("['nbml']", "['IPython', 'nbml']"), done.stdout


def test_the_root_is_a_complete_sorted_list_of_names() -> None:
    assert nbml.__all__ == sorted(set(nbml.__all__))
    assert dir(nbml) == nbml.__all__
    for name in nbml.__all__:
        assert getattr(nbml, name) is not None


def test_every_module_imports_and_then_every_verb_is_still_callable() -> None:
    code = (
        "import importlib, json, sys, nbml\n"
        "for name in json.loads(sys.argv[1]): importlib.import_module(name)\n"
        "verbs = [n for n, home in nbml._HOMES.items() if home.partition(':')[2]]\n"
        "print([n for n in verbs if not callable(getattr(nbml, n))])"
    )
    done = subprocess.run([sys.executable, "-c", code, json.dumps(modules())], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_no_module_has_the_name_of_a_public_verb() -> None:
    from nbml import commands

    verbs = {name for name, home in nbml._HOMES.items() if home.partition(":")[2]} | {c.name for c in commands.TABLE}
    assert {name.rpartition(".")[2] for name in modules() if name.count(".") == 1} & verbs == set()


def test_versions_agree() -> None:
    package = json.loads((ROOT / "labextension" / "package.json").read_text())
    built = json.loads((SOURCE / "labextension" / "package.json").read_text())
    assert PROJECT["project"]["version"] == nbml.__version__ == package["version"] == built["version"]


def test_adapters_are_named_in_pyproject_only() -> None:
    """No code outside registry.py knows the class of an adapter."""
    points = PROJECT["project"]["entry-points"]
    classes = {value.partition(":")[2] for group in points.values() for value in group.values()}
    for path in SOURCE.rglob("*.py"):
        text = path.read_text()
        for name in classes:
            if re.search(rf"\b{name}\b", text):
                assert re.search(rf"^class {name}\b", text, re.M), f"{path.relative_to(ROOT)} knows {name}"


def test_every_adapter_loads_and_names_its_tool() -> None:
    targets = [target for group in PROJECT["project"]["entry-points"].values() for target in group.values()]
    code = (
        "import importlib, json, sys\n"
        "for target in json.loads(sys.argv[1]):\n"
        "    module, _, name = target.partition(':')\n"
        "    loaded = importlib.import_module(module)\n"
        "    assert loaded.__doc__ and isinstance(getattr(loaded, name), type), target"
    )  # in a process of its own: other tests ask whether a tracker's library was loaded
    done = subprocess.run([sys.executable, "-c", code, json.dumps(targets)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_html_is_built_in_display_only() -> None:
    tag = re.compile(r"</?(div|span|table|tr|td|th|img|details|code|b|p)[ >]")
    for path in SOURCE.rglob("*.py"):
        if "display" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not tag.search(node.value), f"{path.relative_to(ROOT)}:{node.lineno} builds HTML"


def test_a_function_over_forty_lines_or_a_file_over_four_hundred_gives_its_reason() -> None:
    for path in SOURCE.rglob("*.py"):
        text = path.read_text()
        assert text.count("\n") <= 400 or "Longer than" in text or path.name in REASONED, f"{path.relative_to(ROOT)} is too long"


#: files over 400 lines: the record is one class behind one writer; the table of commands is data
REASONED = {"record.py", "commands.py"}


def test_every_mutant_can_be_applied() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "mutants" / "kill.py"), "--list"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.split()[0]) >= 25
