"""One real shell for a module's tests, emptied for each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nbml.slicing import recorder


@pytest.fixture(scope="module")
def one_shell() -> Iterator[Any]:
    """A real InteractiveShell, started once."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.testing.globalipapp import start_ipython

    before = sys.modules["__main__"]
    yield start_ipython() or InteractiveShell.instance()
    InteractiveShell.instance().reset(new_session=True)
    sys.modules["__main__"] = before


@pytest.fixture
def notebook(one_shell: Any, project: Path) -> Iterator[Any]:
    """The shell, empty; nothing is attached. Its working folder is an empty project."""
    recorder.detach()
    one_shell.reset(new_session=True)
    one_shell.compile.reset_compiler_flags()
    yield one_shell
    recorder.detach()
