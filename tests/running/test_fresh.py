"""A program in a fresh process: what it gives back, and that the project stays as it is, whatever it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbml.running import fresh


def play(root: Path, source: str, *names: str, **more: object) -> fresh.Fresh:
    return fresh.play(source, names, root=root, folder=root, **more)  # type: ignore[arg-type]


def tree(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file() and ".nbml" not in path.parts}


def test_it_works_in_a_copy_and_nothing_of_the_project_changes(project: Path) -> None:
    (project / "data").mkdir()
    (project / ".hidden").mkdir()
    for path in ("a.txt", "data/b.txt", ".hidden/c.txt"):
        (project / path).write_text(path)
    before = tree(project)
    source = "read = [open(path).read() for path in ('a.txt', 'data/b.txt', '.hidden/c.txt')]\n"
    source += "open('a.txt', 'w').write('new')\nopen('data/new.txt', 'w').write('new')\n"
    source += "import os\nos.remove('data/b.txt')\nleft = os.listdir('data')"
    found = play(project, source, "read", "left")
    assert (found.error, found.values) == ("", {"read": ["a.txt", "data/b.txt", ".hidden/c.txt"], "left": ["new.txt"]})
    assert tree(project) == before


@pytest.mark.parametrize(
    "source",
    [
        "open({root!r} + '/a.txt', 'w')",
        "open('linked/c.txt', 'a')",
        "import os; os.remove({root!r} + '/a.txt')",
        "import os; os.truncate('linked/c.txt', 0)",
        "import os; os.rename('a.txt', {root!r} + '/z.txt')",
        "import shutil; shutil.rmtree({root!r})",
        "import os; os.mkdir({root!r} + '/new')",
    ],
)
def test_changing_the_project_itself_is_refused(project: Path, source: str) -> None:
    (project / "a.txt").write_text("a")
    (project / ".behind").mkdir()
    (project / ".behind" / "c.txt").write_text("c")
    (project / "linked").symlink_to(".behind")
    before = tree(project)
    found = play(project, source.format(root=str(project)))
    assert found.error.startswith("PermissionError: a replay changes no file of the project: ")
    assert found.where == source.format(root=str(project))
    assert tree(project) == before


def test_a_folder_inside_the_project_is_the_working_folder(project: Path) -> None:
    (project / "notebooks").mkdir()
    (project / "data.txt").write_text("data")
    (project / "notebooks" / "helper.py").write_text("VALUE = 1")
    (project / "env").mkdir()
    (project / "env" / "pyvenv.cfg").write_text("")
    source = "import os\nfrom helper import VALUE\n"
    source += "got = (VALUE, open('../data.txt').read(), os.path.basename(os.getcwd()), os.path.islink('../env'))"
    found = fresh.play(source, ["got"], root=project, folder=project / "notebooks", files={"notebooks/helper.py": b"VALUE = 2"})
    assert (found.error, found.values) == ("", {"got": (2, "data", "notebooks", True)})


def test_recorded_contents_lie_over_links_without_writing_through_them(project: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.txt").write_text("now")
    (tmp_path / "elsewhere" / "y.txt").write_text("beside")
    (project / "data").symlink_to(tmp_path / "elsewhere")
    kept = tmp_path / "kept"
    kept.write_text("then")
    files: dict[str, bytes | Path] = {"data/x.txt": kept, str(project / "new" / "z.txt"): b"made", "/outside.txt": b"", "../up.txt": b""}
    found = play(project, "got = [open(p).read() for p in ('data/x.txt', 'data/y.txt', 'new/z.txt')]", "got", files=files)
    assert (found.error, found.values) == ("", {"got": ["then", "beside", "made"]})
    assert (tmp_path / "elsewhere" / "x.txt").read_text() == "now"
    assert not (project / "new").exists()


def test_large_and_many_files_are_links(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "large.bin").write_bytes(b"x" * 100)
    (project / "small.bin").write_bytes(b"x")
    monkeypatch.setattr(fresh, "LARGE", 50)
    assert play(project, "import os\ngot = [os.path.islink(p) for p in ('large.bin', 'small.bin')]", "got").values["got"] == [True, False]
    monkeypatch.setattr(fresh, "FILES", 0)
    assert play(project, "import os\ngot = [os.path.islink(p) for p in ('large.bin', 'small.bin')]", "got").values["got"] == [True, True]


def test_what_the_program_defines_comes_back_by_value(project: Path) -> None:
    source = "class Box:\n    def __init__(self, n):\n        self.n = n\n    def twice(self):\n        return self.n * 2\n"
    source += "box = Box(4)\nadd = lambda x: x + box.n\nfile = open(__import__('os').devnull)"
    found = play(project, source, "box", "add", "file", "missing")
    assert (found.values["box"].twice(), found.values["add"](1)) == (8, 5)
    assert found.error.startswith("file cannot leave its process: TypeError: ")
    assert "missing" not in found.values


@pytest.mark.parametrize(
    ("source", "error", "where"),
    [
        ("x = 1\nraise ValueError('bad\\nmore')", "ValueError: bad", "raise ValueError('bad\\nmore')"),
        ("x = (", "SyntaxError: '(' was never closed", ""),
        ("import sys\nsys.exit(3)", "SystemExit: 3", "sys.exit(3)"),
        ("import os, sys\nprint('gone', file=sys.stderr)\nsys.stderr.flush()\nos._exit(4)", "the process ended with 4: gone", ""),
        ("def f():\n    raise KeyError('k')\nf()", "KeyError: 'k'", "raise KeyError('k')"),
    ],
)
def test_a_program_that_fails_is_told_by_its_last_line(project: Path, source: str, error: str, where: str) -> None:
    found = play(project, source)
    assert (found.error, found.where, found.timed_out) == (error, where, False)


def test_a_program_without_an_end_is_ended(project: Path) -> None:
    found = play(project, "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,)).start()\nx = 1", "x")
    assert found.values == {"x": 1}  # a thread that it leaves is not waited for
    found = play(project, "while True: pass", timeout=1.0)
    assert (found.error, found.timed_out) == ("it did not end within 1 s", True)


def test_the_seed_of_hashes_and_a_function_for_the_values(project: Path) -> None:
    source = "order = list({'alpha', 'beta', 'gamma', 'delta', 'epsilon'})"
    orders = {play(project, source, "order", hashseed=seed, through="builtins:repr").values["order"] for seed in (1, 2, 3)}
    assert len(orders) > 1
    assert all(isinstance(order, str) for order in orders)


def test_no_name_of_the_package_hides_one_of_the_program(project: Path) -> None:
    (project / "executors.py").write_text("here = True")
    found = play(project, "import executors, sys\ngot = executors.here\nfirst = sys.path[0]\nname = __name__", "got", "first", "name")
    assert found.values["got"] is True
    assert found.values["name"] == "__main__"
    assert Path(found.values["first"]).name == "project"
