"""A real kernel and a saved page: cells out of order, a line magic, the result as a front end shows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Kernel

pytestmark = pytest.mark.slow

PAGE = (
    ("load", "%load_ext nbml\nimport nbml\nimport pandas as pd"),
    ("read", "frame = pd.read_csv('n.csv')"),
    ("run", "%%nbml track mixed\nnbml.log(total=frame['n'].sum() * 1.1)"),
    ("scale", "frame['n'] *= 3"),
    ("again", "%nbml reproduce mixed"),
)


def ask(kernel: Kernel, key: str, text: str) -> dict[str, Any]:
    """Run a cell as a front end does: with its id. Returns the last MIME bundle that it showed."""
    client = kernel.client
    content = {"code": text, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True}
    message = client.session.msg("execute_request", content, metadata={"cellId": key})
    client.shell_channel.send(message)
    shown: dict[str, Any] = {}
    while True:
        got = client.get_iopub_msg(timeout=60)
        if got["parent_header"].get("msg_id") != message["header"]["msg_id"]:
            continue
        assert got["msg_type"] != "error", got["content"]
        if got["msg_type"] in ("display_data", "execute_result"):
            shown = got["content"]["data"]
        if got["msg_type"] == "status" and got["content"]["execution_state"] == "idle":
            return shown


def test_a_page_out_of_order_is_reproduced_and_the_cell_is_named(kernels: Callable[..., Kernel], project: Path) -> None:
    (project / "n.csv").write_text("n\n1\n2\n3\n")
    blank = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [{**blank, "id": key, "source": text} for key, text in PAGE]
    (project / "test.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    kernel, page = kernels(), dict(PAGE)
    for key in ("load", "read", "scale", "run"):
        ask(kernel, key, page[key])
    (project / "n.csv").write_text("n\n0\n")
    shown = ask(kernel, "again", page["again"])
    assert shown["text/plain"].startswith("[same] mixed@1 run again · 1 metric")
    assert "cell 3" in shown["text/plain"]
    assert "<script" not in shown["text/html"]
    payload = shown["application/vnd.nbml.v1+json"]
    assert payload["state"] == "well"
    said = ask(kernel, "page", "nbml.run('mixed')")["text/plain"]
    assert "hidden-state" in said
