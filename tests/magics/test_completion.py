"""TAB, asked for through ``complete_request`` of a real kernel."""

from __future__ import annotations

from typing import Any

import pytest

from nbml import store

pytestmark = pytest.mark.slow


def test_everything_after_the_magic_is_completed(kernel: Any) -> None:
    kernel.run(
        "import pandas as pd\nfrom sklearn.linear_model import Ridge\n"
        "churn_data = pd.DataFrame({'customer_id': [1, 2], 'net amount': [1.0, 2.0]})\n"
        "model = Ridge().fit(churn_data, [1, 2])\nnumber = 5"
    )
    kernel.run("a = %nbml snapshot churn_data --name churn\nb = %nbml snapshot churn_data.head(1) --name churn\nlen('x')")
    store.current().add("suite", "fit-for-use")  # as expect does, without the seconds that it takes to load its engine
    kernel.run("%%nbml track baseline\n1")

    def after(line: str) -> list[str]:
        """What the lines are that TAB offers."""
        reply = kernel.client.complete(line, reply=True, timeout=60)["content"]
        return [line[: reply["cursor_start"]] + match + line[reply["cursor_end"] :] for match in reply["matches"]]

    assert after("%nbml va") == ["%nbml validate"]
    assert after("result = %nbml va") == ["result = %nbml validate"]
    assert after("x = 1\n    %nbml sn") == ["x = 1\n    %nbml snapshot"]
    assert after("%%nbml t") == ["%%nbml track", "%%nbml tune"]
    assert "%nbml drift" not in after("%nbml d")
    assert after("%nbml validate ch") == [f"%nbml validate {name}" for name in ("churn_data", "churn", "churn@2", "churn@1")]
    assert after("%nbml validate churn@") == ["%nbml validate churn@2", "%nbml validate churn@1"]
    assert after("%nbml validate churn_data --s") == ["%nbml validate churn_data --suite", "%nbml validate churn_data --strict"]
    assert after("%nbml validate churn_data --suite ") == [
        "%nbml validate churn_data --suite fit-for-use", "%nbml validate churn_data --suite fit-for-use@1",
    ]  # fmt: skip
    assert after("%nbml validate churn_data --suite=fit-") == [
        "%nbml validate churn_data --suite=fit-for-use", "%nbml validate churn_data --suite=fit-for-use@1",
    ]  # fmt: skip
    assert after("%nbml package mod") == ["%nbml package model"]
    assert after("%nbml package model --policy ") == [f"%nbml package model --policy {policy}" for policy in ("reject", "flag", "off")]
    assert after("%nbml package model --key cu") == ["%nbml package model --key customer_id"]
    assert after("%nbml package model --on churn_data ") == ["%nbml package model --on churn_data churn_data"]
    assert after("%%nbml track x --to wa") == ["%%nbml track x --to wandb"]
    assert after("%nbml compare base") == ["%nbml compare baseline", "%nbml compare baseline@1"]
    assert after("%%nbml expect new --on churn_data\nnot_null(cust") == ["%%nbml expect new --on churn_data\nnot_null(customer_id"]
    assert after("%%nbml expect new\nuni") == ["%%nbml expect new\nunique"]
    assert after("%nbml validate zzz") == []
    assert "numb" + "er" in after("numb")
