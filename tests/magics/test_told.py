"""What is found out about a run after its cell: in the cell's output, and once where no output shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conftest import Kernel, until

pytestmark = pytest.mark.slow

FRAME = """
import nbml, pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X["code"] = y * 2.0
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
"""
FIT = "LogisticRegression(max_iter=5000).fit(X_train, y_train).score(X_test, y_test)"


def test_a_finding_comes_into_the_output_of_its_cell_and_one_of_a_block_is_shown_once(kernels: Callable[..., Kernel]) -> None:
    kernel = kernels()
    assert kernel.run("%load_ext nbml").ok
    assert kernel.run(FRAME).ok
    first = kernel.run(f"%%nbml track told\n{FIT}")
    assert first.ok
    shown = [out for out in first.outputs if "told@1" in out["text/plain"]]
    assert len(shown) == 1

    def later() -> list[str]:
        return [str(update["text/plain"]) for update in kernel.run("1").updates]

    updates = until(later, what="the output drawn anew at the end of a later cell")
    assert "[target-leak] 'code' alone gives the target away" in updates[-1]
    until(lambda: not later(), what="its end")
    assert kernel.run(f"with nbml.track('block'):\n    {FIT}").ok

    def said() -> list[str]:
        return [text for out in kernel.run("None").outputs if "target-leak" in (text := str(out["text/plain"]))]

    [told] = until(said, what="what was found in a block that nothing shows")
    assert told.startswith("[look] block@1 · 1 finding")
    assert not said(), "once"


def test_in_a_terminal_findings_are_shown_below_a_later_cell(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for cell in (FRAME, f"%%nbml track told\n{FIT}"):
        shell.run_cell(cell, store_history=True).raise_error()
    shell.run_cell("from nbml.tracking import after; after.wait()").raise_error()
    assert capsys.readouterr().out.count("[look] told@1 · 1 finding") == 1
    shell.run_cell("None").raise_error()
    assert "told@1" not in capsys.readouterr().out
