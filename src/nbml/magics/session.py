"""What ``%load_ext nbml`` adds to one shell, and takes away again."""

from __future__ import annotations

import os
import warnings
from collections import ChainMap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbml import store
from nbml.commands.parser import fit
from nbml.magics.binding import forget, kernel_id, tell
from nbml.magics.cells import Cells, Ends, transform, use
from nbml.magics.completion import matcher
from nbml.magics.digest import Digest
from nbml.magics.resolve import Notebook


class Session:
    """nbml in one shell. ``attach`` and ``detach`` may be called again and again."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.path = notebook_path(shell)
        self.kernel = kernel_id()
        self.cells = Cells(shell, self.notebook)
        self.ends = Ends(shell)
        self.matcher = matcher(self)
        self.digest = Digest(self)
        self.hooks = {
            "pre_run_cell": self.guarded(self.cells.before, "before"),
            "post_run_cell": self.guarded(self.after, "after"),
        }

    def attach(self) -> None:
        from nbml.magics.magic import NbmlMagics

        store.choose(store.resolve(self.path, cwd=Path.cwd()))
        self.shell.register_magics(NbmlMagics(self))
        self.shell.input_transformer_manager.line_transforms.insert(0, transform)
        self.shell.ast_transformers.append(self.ends)
        use(self.cells)
        for event, hook in self.hooks.items():
            self.shell.events.register(event, hook)
        self.shell.Completer.custom_matchers.append(self.matcher)
        _recorder("attach", self.shell)
        tell(self)

    def detach(self) -> None:
        shell = self.shell
        for kind in ("line", "cell"):
            shell.magics_manager.magics[kind].pop("nbml", None)
        _remove(shell.input_transformer_manager.line_transforms, transform)
        _remove(shell.ast_transformers, self.ends)
        _remove(shell.Completer.custom_matchers, self.matcher)
        for event, hook in self.hooks.items():
            if hook in shell.events.callbacks.get(event, []):
                shell.events.unregister(event, hook)
        use(None)
        _recorder("detach")
        forget(self)
        found = store.opened()
        if found is not None:
            found.close()

    def notebook(self, local: dict[str, Any] | None = None) -> Notebook:
        """What words mean here and now."""
        inner = local if local is not None and local is not self.shell.user_ns else {}
        names = ChainMap(inner, self.shell.user_ns)
        return Notebook(names, self.shell.user_ns_hidden, self.place)

    @property
    def place(self) -> str:
        """What default names begin with: the notebook's, else the project folder's."""
        return fit(self.path.stem if self.path else store.chosen().name) or "notebook"

    def after(self, result: Any) -> None:
        """After each cell."""
        self.cells.after(result)
        self.digest.update()

    def guarded(self, hook: Callable[[Any], None], when: str) -> Callable[[Any], None]:
        """A hook that never breaks a cell: on an exception it warns once and does nothing from then on."""
        broken = False

        def run(argument: Any) -> None:
            nonlocal broken
            if broken:
                return
            try:
                hook(argument)
            except Exception as error:
                broken = True
                said = f"nbml: {when} each cell nothing is done any more: {type(error).__name__}: {error}"
                warnings.warn(f"{said}; %reload_ext nbml starts again", RuntimeWarning, stacklevel=2)

        return run


def notebook_path(shell: Any) -> Path | None:
    """Where the notebook lies, as its front end says it; None where it does not."""
    said = os.environ.get("JPY_SESSION_NAME") or shell.user_ns.get("__vsc_ipynb_file__")
    if not said:
        return None
    path = Path(str(said))
    if not path.is_absolute():
        path = Path.cwd() / path.name
    return path if path.suffix == ".ipynb" or path.is_file() else None


def _recorder(verb: str, *arguments: Any) -> None:
    from nbml.slicing import recorder

    getattr(recorder, verb)(*arguments)


def _remove(items: list[Any], item: Any) -> None:
    if item in items:
        items.remove(item)


_session: Session | None = None


def load(shell: Any) -> None:
    """``%load_ext nbml``."""
    global _session
    if _session is not None:
        _session.detach()
    _session = Session(shell)
    _session.attach()


def unload(shell: Any) -> None:
    """``%unload_ext nbml``."""
    global _session
    if _session is not None:
        _session.detach()
    _session = None

