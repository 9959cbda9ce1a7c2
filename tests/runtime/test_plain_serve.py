"""Plain ``bentoml serve`` answers as a deployment does: the same routes, token, limits and counters."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import serving
from conftest import until

pytestmark = pytest.mark.slow
Ask = Callable[..., tuple[int, str, bytes]]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """``bentoml serve`` of churn@1, with a token; asks a path."""
    home = tmp_path_factory.mktemp("plain")
    bento = serving.packed(tmp_path_factory.getbasetemp()) / ".nbml" / "services" / "churn" / "1"
    (home / "token").write_text("secret")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "NBML_"))}
    env |= {"BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": str(home / "bentoml"), "NBML_TOKEN_FILE": str(home / "token")}
    command = [sys.executable, "-m", "bentoml", "serve", str(bento), "--host", "127.0.0.1", "--port", str(port)]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(command, env=env, cwd=home, stdout=log, stderr=log, start_new_session=True)

    def ask(path: str, body: Any = None, token: str = "secret", **headers: str) -> tuple[int, str, bytes]:
        data = None if body is None else json.dumps(body).encode()
        more = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {}) | headers
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, more)
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                return reply.status, reply.headers["content-type"], reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers["content-type"], error.read()

    ask.port = port  # type: ignore[attr-defined]

    def there() -> bool:
        try:
            return process.poll() is not None or ask("/readyz")[0] == 200
        except OSError:
            return False

    try:
        until(there, 60, "bentoml serve answers")
        assert process.poll() is None, (home / "log").read_text()[-3000:]
        yield ask
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def test_it_answers_as_the_model_does(plain: Ask) -> None:
    rows = serving.rows(3)
    status, _, body = plain("/predict", {"rows": rows})
    answer = json.loads(body)
    want = serving.model(1.0).predict(serving.data()[0].head(3)).tolist()
    assert (status, answer["predictions"], answer["version"]) == (200, want, "churn@1")
    inputs = [{"name": n, "shape": [3], "datatype": "FP64", "data": [row[n] for row in rows]} for n in serving.COLUMNS]
    for asked in (inputs, [{"name": "x", "shape": [3, 3], "datatype": "FP64", "data": [list(row.values()) for row in rows]}]):
        status, _, body = plain("/v2/models/churn/infer", {"inputs": asked})
        outputs = {output["name"]: output["data"] for output in json.loads(body)["outputs"]}
        assert (status, outputs["predictions"]) == (200, want)
        assert outputs["probabilities"] == [share for shares in answer["probabilities"]["values"] for share in shares]
    model = json.loads(plain("/v2/models/churn/versions/1")[2])
    assert [entry["name"] for entry in model["inputs"]] == serving.COLUMNS
    assert [entry["name"] for entry in model["outputs"]] == ["predictions", "probabilities", "ids"]


def test_triton_s_client_asks_it(plain: Ask) -> None:
    http = pytest.importorskip("tritonclient.http", reason="tritonclient[http] is not installed")
    client = http.InferenceServerClient(f"127.0.0.1:{plain.port}")  # type: ignore[attr-defined]
    token = {"Authorization": "Bearer secret"}
    assert client.is_server_ready()
    assert client.is_model_ready("churn", headers=token)
    frame = serving.data()[0].head(5)
    inputs = []
    for entry in client.get_model_metadata("churn", headers=token)["inputs"]:
        inputs.append(http.InferInput(entry["name"], [5], entry["datatype"]))
        inputs[-1].set_data_from_numpy(frame[entry["name"]].to_numpy())
    found = client.infer("churn", inputs, request_id="r", headers=token)
    assert found.as_numpy("predictions").tolist() == serving.model(1.0).predict(frame).tolist()
    assert abs(found.as_numpy("probabilities") - serving.model(1.0).predict_proba(frame)).max() < 1e-9
    with pytest.raises(Exception, match="input 'mean_area' is missing; the model takes mean_radius"):
        client.infer("churn", inputs[:2], headers=token)
    client.close()


def test_everything_but_the_probes_asks_for_the_token(plain: Ask) -> None:
    for path in ("/", "/docs", "/docs.json", "/openapi.json", "/schema.json", "/metrics", "/predict", "/v2", "/v2/models/churn/infer",
                 "/static_content/swagger-ui.css", "/nothing"):  # fmt: skip
        assert plain(path, token="")[0] == 401, path
        assert plain(path, token="secre")[0] == 401, path
    for path in ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"):
        assert plain(path, token="")[0] == 200, path


def test_its_pages_are_its_own_and_tell_the_training_rows(plain: Ask) -> None:
    status, kind, page = plain("/docs", Accept="text/html")
    assert (status, kind, b"http" in page) == (200, "text/html; charset=utf-8", False)
    column = json.loads(plain("/docs.json")[2])["components"]["schemas"]["Row"]["properties"]["mean_radius"]
    low, high = float(serving.data()[0]["mean_radius"].min()), float(serving.data()[0]["mean_radius"].max())
    assert column["x-training"] == {"min": low, "max": high, "nulls": False}
    assert "minimum" not in column


def test_bad_input_is_4xx_and_counted(plain: Ask) -> None:
    assert plain("/predict", {"rows": [{"mean_radius": "x"}]})[0] == 422
    assert plain("/predict", {"rows": serving.rows()}, **{"Content-Type": "application/vnd.bentoml+pickle"})[0] == 415
    assert plain("/predict")[0] == 405
    text = plain("/metrics")[2].decode()
    assert 'nbml_request_total{endpoint="/predict",http_response_code="415",service_version="churn@1"} 1' in text
    assert "nbml_request_duration_seconds_sum" in text
