"""Loading adds what it says, once, and unloading takes it away."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from magics.asked import FRAME, run
from nbml import store


def added(shell: Any) -> dict[str, Any]:
    """What nbml adds to a shell, counted."""
    events = shell.events.callbacks
    return {
        "line": "nbml" in shell.magics_manager.magics["line"],
        "cell": "nbml" in shell.magics_manager.magics["cell"],
        "matchers": len(shell.Completer.custom_matchers),
        "transforms": len(shell.input_transformer_manager.line_transforms),
        "trees": len(shell.ast_transformers),
        "hooks": {name: len(hooks) for name, hooks in events.items()},
    }


def test_loading_twice_is_loading_once_and_unloading_leaves_nothing(shell: Any) -> None:
    loaded = added(shell)
    run(shell, "%reload_ext nbml")
    assert added(shell) == loaded
    run(shell, "%load_ext nbml")
    assert added(shell) == loaded
    run(shell, "%unload_ext nbml")
    bare = added(shell)
    assert (bare["line"], bare["cell"], bare["matchers"], bare["trees"]) == (False, False, loaded["matchers"] - 1, loaded["trees"] - 2)
    assert bare["transforms"] == loaded["transforms"] - 1
    assert shell.run_cell("%nbml").error_in_exec is not None
    run(shell, "%load_ext nbml")
    assert added(shell) == loaded


def test_loading_and_looking_write_nothing(shell: Any, project: Path) -> None:
    run(shell, "x = 1")
    run(shell, "%nbml")
    assert list(project.iterdir()) == []


def test_the_project_is_resolved_once_at_load(shell: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBML_PROJECT")
    (project / "nbml.toml").write_text("")
    deep = project / "notebooks"
    deep.mkdir()
    monkeypatch.setenv("JPY_SESSION_NAME", str(deep / "one.ipynb"))
    run(shell, "%reload_ext nbml")
    monkeypatch.chdir(project.parent)
    shell.user_ns["df"] = FRAME
    assert str(run(shell, "%nbml snapshot df")) == "one-df@1"
    assert store.current().root == project
    assert (project / ".nbml" / "nbml.db").is_file()


def test_a_hook_that_fails_warns_once_and_never_breaks_a_cell(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbml.magics.session import Session

    def broken(self: Session, result: Any) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(Session, "after", broken)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(shell, "%reload_ext nbml")
        assert run(shell, "1 + 1") == 2
        assert run(shell, "1 + 2") == 3
    said = [str(w.message) for w in caught if "nbml" in str(w.message)]
    assert said == ["nbml: after each cell nothing is done any more: OSError: the disk is gone; %reload_ext nbml starts again"]
