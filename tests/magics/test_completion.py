"""TAB, asked for through ``complete_request`` of a real kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nbml import store

pytestmark = pytest.mark.slow


def offered(kernel: Any, line: str, rest: str = "") -> list[str]:
    """What the text is for each thing that TAB offers at the end of ``line``; ``rest`` stands behind the cursor."""
    reply = kernel.client.complete(line + rest, cursor_pos=len(line), reply=True, timeout=60)["content"]
    return [line[: reply["cursor_start"]] + match + (line + rest)[reply["cursor_end"] :] for match in reply["matches"]]


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
        return offered(kernel, line)

    assert after("%nbml va") == ["%nbml validate"]
    assert after("result = %nbml va") == ["result = %nbml validate"]
    assert after("x = 1\n    %nbml sn") == ["x = 1\n    %nbml snapshot"]
    assert after("%%nbml t") == ["%%nbml track", "%%nbml tune"]
    assert "%nbml explain" not in after("%nbml e")
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


def test_columns_are_completed_as_the_language_writes_them(kernel: Any) -> None:
    kernel.run("import pandas as pd\nq = pd.DataFrame({'net amount': [1.0], 'class': [1], 'psi': [1], 'b': [2], 'max_x': [3]})\nlen('x')")
    first = "%%nbml expect q --on q\n"

    def after(line: str, rest: str = "") -> list[str]:
        return [text.removeprefix(first) for text in offered(kernel, first + line, rest)]

    assert after("net") == ['col("net amount")']
    assert after("not_null(cl") == ['not_null(col("class")']
    assert after("ps") == ['col("psi")', "psi"]
    assert after("b") == ["b"]
    assert after('col("') == [f'col("{name}")' for name in ("net amount", "class", "psi", "b", "max_x")]
    assert after('col("net am') == ['col("net amount")']
    assert after('col("ne', '")') == ['col("net amount")']
    assert after("zzz") == []


def test_what_options_take_is_completed(kernel: Any) -> None:
    kernel.run("import pandas as pd\ndf = pd.DataFrame({'a': [1], 'b': [2]})\nlen('x')")

    def after(line: str) -> list[str]:
        return offered(kernel, line)

    assert not [text for text in after("%%nbml tune x --metric ") if "roc_auc" in text]  # nothing is loaded for it
    kernel.run("from sklearn.linear_model import Ridge\nmodel = Ridge(alpha=3.0)")
    assert "%%nbml tune x --metric accuracy" in after("%%nbml tune x --metric ")
    assert "%%nbml tune x --metric accuracy,roc_auc" in after("%%nbml tune x --metric accuracy,roc")
    kernel.run("%%nbml track base\nimport nbml\nmodel.fit(df[['a']], df['b'])\nnbml.log({'auc': 0.9, 'valid/loss': 1.0})")
    where = after("%nbml runs --where ")
    assert {f"%nbml runs --where {name}" for name in ("name", "state", "auc", "alpha", 'col("valid/loss")')} <= set(where)
    assert after('%nbml runs --where "auc > 0.8 and al') == ['%nbml runs --where "auc > 0.8 and alpha']
    assert after('%nbml runs --where "val') == ["%nbml runs --where \"col('valid/loss')"]
    for line in ("%nbml package ", "%nbml deploy ", "%nbml slice "):
        assert f"{line}model" in after(line)
        assert f"{line}open" not in after(line)
    assert after("%nbml --h") == ["%nbml --help"]
    assert after("%nbml snapshot df.drop_d") == ["%nbml snapshot df.drop_duplicates"]
    assert "%nbml deploy model --canary" not in after("%nbml deploy model --")


def test_suites_of_files_are_offered_while_their_file_is_there(kernel: Any, project: Path) -> None:
    (project / "nbml.toml").write_text('[validation]\nsuites = "expectations"\n')
    (project / "expectations").mkdir()
    (project / "expectations" / "unread.expect").write_text("rows > 0\n")
    (project / "expectations" / "No Name.expect").write_text("rows > 0\n")
    kernel.run("import nbml\nfor name in ('gone', 'kept'):\n    nbml.expect(name, 'rows > 0')\nlen('x')")
    line = "%nbml suite "
    assert offered(kernel, line) == [line + name for name in ("kept", "gone", "unread", "kept@1", "gone@1")]
    (project / "expectations" / "gone.expect").unlink()
    assert offered(kernel, line) == [line + name for name in ("kept", "unread", "kept@1")]
