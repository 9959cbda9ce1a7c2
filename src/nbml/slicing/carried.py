"""Files that a prediction reads: they go along with the module, which opens them beside itself."""

from __future__ import annotations

import ast
import glob
import hashlib
import os
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.slicing import checks, paths, recorder, risks
from nbml.slicing import statements as texts
from nbml.slicing.values import Artifact, Slice

if TYPE_CHECKING:
    from nbml.slicing.cutting import Cutter
    from nbml.slicing.paths import Opening
    from nbml.slicing.watching import Reading, Seen, Stack

#: bytes that files which go along may have together
LIMIT = 10_000_000
#: where they lie beside the module
FOLDER = "files"
INSTEAD = "read it in a cell and use the value"
BESIDE = '''
#: files that came along from beside the notebook: their paths there, their places here, their SHA-256
{files} = {{
{entries}
}}


def {beside}(path):
    """The file that came along in place of this one; any other path as it is. Refused where it was changed."""
    import hashlib
    import os
    import pathlib

    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
        return path
    known = {files}.get(os.path.relpath(path)) or {files}.get(os.fspath(path))
    if known is None:
        return path
    copy = pathlib.Path(__file__).parents[{depth}] / known[0]
    if hashlib.sha256(copy.read_bytes()).hexdigest() != known[1]:
        raise ValueError(f"{{known[0]}} is not the file that was written with this module")
    return copy if isinstance(path, pathlib.PurePath) else str(copy)
'''.strip()


class Carried:
    """Collects the files that a written module and its helpers open, and makes their texts open the copies."""

    def __init__(self, cut: Cutter, seen: Seen | None) -> None:
        self.cut, self.seen = cut, seen
        self.artifacts: dict[str, Artifact] = {}
        #: path as the program has it -> its place beside the module
        self.places: dict[str, str] = {}
        program = getattr(sys.modules["__main__"], "__file__", None) if cut.sources.record is not None else None
        beside = Path(program).resolve().parent if program else None  # of the program that runs the notebook
        self._folders = [f for f in cut.folders if f != beside or f == Path.cwd()]

    def source(self, source: str) -> str:
        """The module's text, and in ``cut.belongings.files`` the helpers', with the places that open files mended."""
        found: list[tuple[str, str, list[Opening]]] = [("", source, list(paths.openings(ast.parse(source), self.cut._live)))]
        for path, content in self.cut.belongings.files.items():
            name = module_of(path)
            text = content.decode("utf-8")
            found.append((path, text, list(paths.openings(ast.parse(text), values(name), name))))
        wanted = {id(o) for path, text, opened in found for o in opened if self._take(o, path, text)}
        wanted |= set(self._watched(found))
        for path, text, opened in found:
            mended = self._mended(text, [o for o in opened if id(o) in wanted], path.count("/"))
            if path:
                self.cut.belongings.files[path] = mended.encode()
            else:
                source = mended
        return source

    # -- what the text says ------------------------------------------------------------------------------------

    def _take(self, opening: Opening, path: str, text: str) -> bool:
        """Take the files along that an opening names; whether it must be mended for that."""
        if opening.path is None or not (opening.functions or path) or "://" in opening.path:
            return False
        said = os.path.abspath(opening.path)  # noqa: PTH100 - as written, links and all
        if opening.lists:
            if Path(said).is_dir() and "*" not in said:
                does = f"lists the folder {opening.path!r}"
                raise self._refused(opening.functions, path, text, opening.node, does, "which does not travel")
            return False
        if "*" not in opening.path:
            return Path(said).is_file() and self._one(Path(said), opening, path, text)
        head = os.path.dirname(said)  # noqa: PTH120
        if "*" in head or not os.path.dirname(opening.path):  # noqa: PTH120 - only a folder of its own is taken whole
            return False
        known = [Path(one) for one in sorted(glob.glob(said)) if Path(one).is_file()]  # noqa: PTH207
        done = [self._one(one, opening, path, text) for one in known]
        if known:
            who = _function(opening.functions, path)
            self.cut.warn(f"{who} reads {opening.path} by a name that it makes: all {len(known)} files go along")
        return any(done)

    def _one(self, file: Path, opening: Opening, path: str, text: str) -> bool:
        said = str(opening.path) if "*" not in str(opening.path) else os.path.relpath(file)
        if not opening.sure and (not self._inside(file) or file.stat().st_size > LIMIT):
            return False  # a text that happens to be the name of a file
        where = (opening.functions, path, text, opening.node)
        if self._system(file):
            return False
        return self._carry(file, said, opening.homed, lambda does, why: self._refused(*where, does, why))

    def _carry(self, file: Path, said: str, homed: bool, refused: Callable[[str, str], errors.SliceRefused]) -> bool:
        """Take a file along; whether what opens it must be mended for that."""
        does = f"reads the file {said!r}"
        if not self._inside(file):
            raise refused(does, "which lies outside the project; copy it into the project")
        place = self._home(file) if homed else ""
        mended = not place
        place = place or f"{FOLDER}/{self._relative(file)}"
        if place not in self.artifacts and place not in self.cut.belongings.files:
            content = file.read_bytes()
            total = len(content) + sum(len(a.content) for a in self.artifacts.values())
            if total > LIMIT:
                other = " with the others" if len(content) <= LIMIT else ""
                raise refused(does, f"which has{other} {total / 1e6:,.1f} MB: what goes along may have {LIMIT // 1_000_000} MB in all")
            name = risks.settings_secret(file, content)
            if name and name not in self.cut.allow:
                raise risks.refuse_secret(name, said)
            self.artifacts[place] = Artifact(place, content, hashlib.sha256(content).hexdigest(), "file")
        if mended:
            self.places[os.path.relpath(file)] = place
            if Path(said).is_absolute():
                self.places[said] = place
        return mended

    def _inside(self, file: Path) -> bool:
        return any(file.resolve().is_relative_to(folder) or file.is_relative_to(folder) for folder in self._folders)

    def _relative(self, file: Path) -> str:
        for folder in self._folders:
            for known in (file, file.resolve()):
                if known.is_relative_to(folder):
                    return known.relative_to(folder).as_posix()
        return file.name

    def _home(self, file: Path) -> str:
        """The place of a file that lies beside a helper module, or below, seen from where the helpers are imported."""
        for path in self.cut.belongings.files:
            known = getattr(sys.modules.get(module_of(path)), "__file__", None)
            if known is None:
                continue
            root = Path(known).resolve().parents[path.count("/")]
            if file.resolve().is_relative_to(root):
                return file.resolve().relative_to(root).as_posix()
        return ""

    # -- what was seen -----------------------------------------------------------------------------------------

    def _watched(self, found: list[tuple[str, str, list[Opening]]]) -> Iterator[int]:
        """Take the files along that were read when the prediction was asked; the openings to be mended for that."""
        for reading in self.seen.files if self.seen else ():
            place = ours(self.cut, reading.stack)
            if place is None or self._covered(reading) or self._system(Path(reading.path)):
                continue
            label, line, function = place
            where = f" ({label}, line {line})"

            def refused(does: str, why: str, function: str = function, where: str = where) -> errors.SliceRefused:
                return errors.SliceRefused(f"{function} {does}{where}, {why}; {INSTEAD}")

            file = Path(reading.path)
            if reading.event in ("os.listdir", "os.scandir"):
                raise refused(f"lists the folder {reading.given!r}", "which does not travel")
            if not file.is_file():
                continue
            homed = Path(reading.given).is_absolute() and bool(self._home(file)) and file.parent != Path.cwd()
            if not self._carry(file, reading.given, homed, refused):
                continue
            within = [o for _, _, opened in found for o in opened if function in o.functions]
            unsure = [o for o in within if o.path is None or "*" in o.path or not o.sure]
            if not unsure:
                raise refused(f"reads the file {reading.given!r}", "in a way that cannot be turned to a copy")
            yield from map(id, unsure)

    def _covered(self, reading: Reading) -> bool:
        """Whether a file goes along already, or belongs to what goes along."""
        if os.path.relpath(reading.path) in self.places:
            return True
        return (self._home(Path(reading.path)) or "?") in {*self.artifacts, *self.cut.belongings.files}

    def _system(self, file: Path) -> bool:
        """Whether a file comes with Python, a distribution or the system, or is a cache of a library."""
        homes = {*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix, "/proc", "/sys", "/dev", "/etc", "/usr", "/lib", "/opt"}
        inside = self._inside(file)
        if any(file.is_relative_to(home) for home in homes if not inside or not any(Path(home).is_relative_to(f) for f in self._folders)):
            return not inside
        hidden = any(part.startswith(".") for part in (file.relative_to(Path.home()).parts if file.is_relative_to(Path.home()) else ()))
        return "site-packages" in file.parts or (hidden and not inside) or ("joblib_memmapping" in str(file) and _temporary(file))

    # -- the texts ---------------------------------------------------------------------------------------------

    def _refused(
        self, functions: tuple[str, ...], path: str, text: str, node: ast.expr, does: str, why: str
    ) -> errors.SliceRefused:
        where = f" ({path}, line {node.lineno})" if path else checks.line(self.cut, text, node.lineno)
        return errors.SliceRefused(f"{_function(functions, path)} {does}{where}, {why}; {INSTEAD}")

    def _mended(self, text: str, opened: list[Opening], depth: int) -> str:
        if not opened or not self.places:
            return text
        beside = "_beside" if "_beside" not in text else self.cut.free("beside")
        files = "_FILES" if "_FILES" not in text else self.cut.free("files")
        nodes = _outermost({id(o.node): o.node for o in opened})
        known = texts.splice(text, [(n, f"{beside}({ast.get_source_segment(text, n)})") for n in nodes])
        lines = sorted(f'    {path!r}: ({place!r}, "{self.artifacts[place].sha256}"),' for path, place in self.places.items())
        block = BESIDE.format(files=files, beside=beside, entries="\n".join(lines).replace("'", '"'), depth=depth)
        return texts.under_head(known, block, 1)


def adds(cut: Slice, seen: Seen) -> bool:
    """Whether the notebook's code was seen to read what its text does not tell."""
    record = recorder.reader()
    helpers = {getattr(sys.modules.get(module_of(path)), "__file__", None) for path in cut.files}

    def mine(stack: Stack) -> bool:
        return any(file in helpers or (record is not None and record.cell_of(file) is not None) for file, _, _ in stack)

    return any(mine(r.stack) for r in seen.files) or any(name not in cut.environment and mine(s) for name, s in seen.named().items())


def ours(cut: Cutter, stack: Stack) -> tuple[str, int, str] | None:
    """Label, line and function of the innermost code that is the notebook's, or a helper's that goes along."""
    record = cut.sources.record
    helpers = {getattr(sys.modules.get(module_of(path)), "__file__", None): path for path in cut.belongings.files}
    for place, (file, line, function) in enumerate(stack):
        cell = record.cell_of(file) if record is not None else None
        if function.startswith("<"):  # a comprehension or lambda: called after the function around it
            function = next((f for other, _, f in stack[place:] if other == file and not f.startswith("<")), function)
        if cell is not None:
            return cell.label, line, function
        if file in helpers:
            return helpers[file], line, function
    return None


def module_of(path: str) -> str:
    """The name of a helper module by its file."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _outermost(nodes: dict[int, ast.expr]) -> list[ast.expr]:
    """Of expressions those that stand in no other one."""
    inner = {id(part) for node in nodes.values() for part in ast.walk(node) if part is not node}
    return [node for known, node in nodes.items() if known not in inner]


def _temporary(file: Path) -> bool:
    return file.is_relative_to(tempfile.gettempdir()) or file.is_relative_to("/dev/shm")


def _function(functions: tuple[str, ...], path: str) -> str:
    return ".".join(functions) or path


def values(module: str) -> Callable[[str], Any]:
    """What gives the live value of a name of a helper module."""
    loaded = sys.modules.get(module)
    return lambda word: getattr(loaded, word, None)
