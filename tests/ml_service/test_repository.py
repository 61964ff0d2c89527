"""Hot loading, full queues and callers that leave: the real tier, asked by Triton's own client."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import requests
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from app_service import ml_client
from ml_service.settings import SHIPPED
from portal_wire.errors import NotFound
from portal_wire.http_client import ServiceClient
from tests.app_service.conftest import wait_until
from tests.ml_service.server import TOKEN, token

FILM = (SHIPPED / "pneumonia" / "1" / "golden" / "pneumonia.jpg").read_bytes()
SIDE = json.loads((SHIPPED / "pneumonia" / "1" / "model.json").read_text())["side"]
BOTH = json.dumps({"version_policy": {"all": {}}})


@pytest.fixture
def client(small_tier: str) -> Iterator[triton.InferenceServerClient]:
    """Both versions are loaded, and nothing of an earlier test waits."""
    wait_until(lambda: waiting(small_tier) == 0, within_s=60)
    with triton.InferenceServerClient(small_tier, concurrency=8, network_timeout=60) as client:
        client.load_model("pneumonia", headers=token(), config=BOTH)
        yield client


def study() -> triton.InferInput:
    tensor = triton.InferInput("study", [1], "BYTES")
    tensor.set_data_from_numpy(np.array([FILM], dtype=np.object_))
    return tensor


def ask(client: triton.InferenceServerClient, version: str) -> str:
    """The version that answered."""
    answer = client.infer("pneumonia", [study()], model_version=version, headers=token()).get_response()
    return str(answer["model_version"])


def states(client: triton.InferenceServerClient) -> dict[str, tuple[str, str]]:
    index = client.get_model_repository_index(headers=token())
    return {entry["version"]: (entry["state"], entry["reason"]) for entry in index}


def test_versions_stand_side_by_side(client: triton.InferenceServerClient) -> None:
    assert states(client) == {"1": ("READY", ""), "2": ("READY", "")}
    assert client.get_model_metadata("pneumonia", headers=token())["versions"] == ["1", "2"]
    assert [ask(client, version) for version in ("", "1", "2")] == ["2", "1", "2"]


def test_one_version_is_loaded_by_name(client: triton.InferenceServerClient, small_tier: str) -> None:
    client.unload_model("pneumonia", headers=token())
    assert {state for state, _ in states(client).values()} == {"UNAVAILABLE"}
    client.load_model(
        "pneumonia", headers=token(), config=json.dumps({"version_policy": {"specific": {"versions": [1]}}})
    )
    assert states(client) == {"1": ("READY", ""), "2": ("UNAVAILABLE", "unloaded")}
    assert client.is_model_ready("pneumonia", "1", headers=token())
    assert not client.is_model_ready("pneumonia", "2", headers=token())
    url = f"http://{small_tier}/v2/repository/index"
    assert [entry["version"] for entry in requests.post(url, json={"ready": True}, headers=token()).json()] == ["1"]


def test_a_version_that_is_not_there_is_an_error(client: triton.InferenceServerClient) -> None:
    config = json.dumps({"version_policy": {"specific": {"versions": [7]}}})
    with pytest.raises(InferenceServerException, match="no such model or version"):
        client.load_model("pneumonia", headers=token(), config=config)


def test_loading_and_unloading_beside_it_drops_no_request(
    client: triton.InferenceServerClient, small_tier: str
) -> None:
    stop = threading.Event()
    answered: list[str] = []

    def keep_asking() -> None:
        with triton.InferenceServerClient(small_tier, network_timeout=60) as mine:
            while not stop.is_set():
                answered.append(ask(mine, "1"))

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(keep_asking) for _ in range(2)]
        for _ in range(2):
            requests.post(
                f"http://{small_tier}/v2/repository/models/pneumonia/unload",
                json={"parameters": {"version": "2"}},
                headers=token(),
                timeout=60,
            ).raise_for_status()
            client.load_model("pneumonia", headers=token(), config=BOTH)
        stop.set()
        for one in asking:
            one.result()  # raises what a request raised
    assert set(answered) == {"1"}


def test_a_full_queue_turns_away_with_a_time_to_come_back(
    client: triton.InferenceServerClient, small_tier: str
) -> None:
    url = f"http://{small_tier}/v2/models/pneumonia/versions/1/infer"
    body = json.dumps({"inputs": [pixels(8)], "outputs": [{"name": "logits"}]})

    def post(_: int) -> requests.Response:
        return requests.post(url, data=body, headers=token(), timeout=60)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(post, range(24)))
    assert {answer.status_code for answer in answers} == {200, 503}
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert refused.headers["Retry-After"] == "1"
    assert refused.json()["code"] == "queue_full"
    assert refused.json()["error"] == "The model's queue is full."
    assert dropped(small_tier, "queue_full") >= 1


def test_callers_that_left_cost_the_network_nothing(client: triton.InferenceServerClient, small_tier: str) -> None:
    before = dropped(small_tier, "cancelled")
    body = json.dumps({"inputs": [pixels(8)], "outputs": [{"name": "logits"}]}).encode()
    head = f"POST /v2/models/pneumonia/versions/1/infer HTTP/1.1\r\nHost: x\r\nX-Service-Token: {TOKEN}\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    host, port = small_tier.split(":")
    callers = [socket.create_connection((host, int(port))) for _ in range(3)]
    for caller in callers:
        caller.sendall(head.encode() + body)
    for caller in callers:
        caller.close()
    wait_until(lambda: dropped(small_tier, "cancelled") > before)


def test_a_caller_says_how_long_it_waits(client: triton.InferenceServerClient, small_tier: str) -> None:
    before = dropped(small_tier, "expired")
    with pytest.raises(InferenceServerException, match="waited too long") as late:
        client.infer("pneumonia", [study()], model_version="1", headers=token(), timeout=1)  # microseconds
    assert late.value.status() == "503"
    assert dropped(small_tier, "expired") == before + 1


def test_the_application_speaks_with_the_real_tier(client: triton.InferenceServerClient, small_tier: str) -> None:
    """App's own client, which its tests otherwise try against a stand-in."""
    app = ServiceClient(f"http://{small_tier}", TOKEN)
    ml_client.unload(app, "pneumonia", "2")
    served = ml_client.list_models(app)
    assert served.ready == {("pneumonia", "1")}
    assert {one.version: one.not_ready for one in served.models[0].versions} == {"1": None, "2": "unloaded"}
    with pytest.raises(NotFound):
        ml_client.load(app, "pneumonia", "9")
    ml_client.load(app, "pneumonia", "2")
    assert ml_client.list_models(app).ready == {("pneumonia", "1"), ("pneumonia", "2")}
    said = ml_client.infer(app, "pneumonia", "2", FILM, wanted=("findings",))
    assert (said.findings["label"], said.heatmap) == ("pneumonia", None)


def pixels(images: int) -> dict[str, object]:
    """Prepared images in numbers that are quick to parse."""
    shape = [images, SIDE, SIDE, 1]
    return {"name": "pixels", "shape": shape, "datatype": "FP32", "data": [0] * (images * SIDE * SIDE)}


def waiting(address: str) -> float:
    text = requests.get(f"http://{address}/metrics", timeout=5).text
    return sum(float(found) for found in re.findall(r"lightbox_ml_queue_images{.*} (\S+)", text))


def dropped(address: str, reason: str) -> float:
    text = requests.get(f"http://{address}/metrics", timeout=5).text
    labels = f'model="pneumonia",reason="{reason}",version="1"'
    found = re.search(rf"lightbox_ml_dropped_requests_total{{{labels}}} (\S+)", text)
    return float(found[1]) if found else 0.0
