"""The real server, asked by a client that nobody here wrote."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from ml_service.settings import SHIPPED
from portal_wire.contract import Model
from tests.ml_service.server import copy_version, ml_server, token

FILM = (SHIPPED / "pneumonia" / "1" / "golden" / "pneumonia.jpg").read_bytes()
NOISE = (SHIPPED / "pneumonia" / "1" / "golden" / "noise.png").read_bytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tier writes its log."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def address(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # One model alone: what else the repository ships is not this file's concern.
    models = tmp_path_factory.mktemp("models")
    copy_version(models, "1")
    with ml_server(folder, LIGHTBOX_MODEL_DIR=str(models)) as bind:
        yield bind


@pytest.fixture
def client(address: str) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(address) as client:
        yield client


def study(content: bytes) -> triton.InferInput:
    tensor = triton.InferInput("study", [1], "BYTES")
    tensor.set_data_from_numpy(np.array([content], dtype=np.object_))
    return tensor


def findings(answer: triton.InferResult) -> dict[str, object]:
    said: dict[str, object] = json.loads(answer.as_numpy("findings")[0])
    return said


def test_health_and_metadata(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live(headers=token())
    assert client.is_server_ready(headers=token())
    assert client.is_model_ready("pneumonia", headers=token())
    assert "binary_tensor_data" in client.get_server_metadata(headers=token())["extensions"]
    metadata = client.get_model_metadata("pneumonia", "1", headers=token())
    assert metadata["parameters"]["labels"] == ["pneumonia"]


def test_the_tier_says_at_its_start_what_computes_each_model(address: str, folder: Path) -> None:
    lines = [json.loads(line) for line in (folder / "log").read_text().splitlines() if line.startswith("{")]
    said = next(line for line in lines if line["event"] == "network built")
    assert (said["model"], said["version"], said["engine"]) == ("pneumonia", "1", "openvino")
    assert said["device"] and said["precision"] in ("f32", "bf16", "int8")


@pytest.mark.parametrize("binary", [True, False])
def test_a_film_is_answered(client: triton.InferenceServerClient, binary: bool) -> None:
    names = ("probabilities", "logits", "ood_score", "findings", "heatmap")
    wanted = [triton.InferRequestedOutput(name, binary_data=binary) for name in names]
    answer = client.infer("pneumonia", [study(FILM)], outputs=wanted, headers=token(), request_id="one")
    said = findings(answer)
    assert said["label"] == "pneumonia"
    assert answer.as_numpy("probabilities").shape == (1, 1)
    assert answer.get_response()["id"] == "one"
    if binary:
        assert answer.as_numpy("heatmap")[0].startswith(b"\x89PNG")


def test_without_outputs_asked_for_the_usual_ones_come(client: triton.InferenceServerClient) -> None:
    answer = client.infer("pneumonia", [study(FILM)], headers=token())
    assert findings(answer)["in_distribution"] is True
    assert answer.as_numpy("heatmap") is None


def test_prepared_pixels_in_a_batch(client: triton.InferenceServerClient) -> None:
    side = client.get_model_metadata("pneumonia", headers=token())["inputs"][1]["shape"][1]
    pixels = triton.InferInput("pixels", [3, side, side, 1], "FP32")
    pixels.set_data_from_numpy(np.zeros((3, side, side, 1), np.float32))
    answer = client.infer("pneumonia", [pixels], headers=token())
    assert answer.as_numpy("logits").shape == (3, 1)
    assert len(answer.as_numpy("findings")) == 3


def test_logits_alone_are_those_that_come_with_a_verdict(client: triton.InferenceServerClient) -> None:
    side = client.get_model_metadata("pneumonia", headers=token())["inputs"][1]["shape"][1]
    pixels = triton.InferInput("pixels", [2, side, side, 1], "FP32")
    pixels.set_data_from_numpy(np.random.default_rng(0).normal(size=(2, side, side, 1)).astype(np.float32))
    whole = client.infer("pneumonia", [pixels], headers=token()).as_numpy("logits")
    wanted = [triton.InferRequestedOutput("logits")]
    alone = client.infer("pneumonia", [pixels], outputs=wanted, headers=token())
    np.testing.assert_allclose(alone.as_numpy("logits"), whole, rtol=1e-5)
    assert [output["name"] for output in alone.get_response()["outputs"]] == ["logits"]


def test_a_films_logits_alone_are_those_that_come_with_a_verdict(client: triton.InferenceServerClient) -> None:
    wanted = [triton.InferRequestedOutput("logits")]
    for picture in (FILM, NOISE):
        whole = client.infer("pneumonia", [study(picture)], headers=token()).as_numpy("logits")
        alone = client.infer("pneumonia", [study(picture)], outputs=wanted, headers=token())
        np.testing.assert_allclose(alone.as_numpy("logits"), whole, rtol=1e-5)
    with pytest.raises(InferenceServerException, match="study"):
        client.infer("pneumonia", [study(b"no film")], outputs=wanted, headers=token())


def test_what_is_no_film_gets_no_probability(client: triton.InferenceServerClient) -> None:
    wanted = [triton.InferRequestedOutput(name) for name in ("findings", "probabilities", "heatmap")]
    answer = client.infer("pneumonia", [study(NOISE)], outputs=wanted, headers=token())
    said = findings(answer)
    assert (said["label"], said["findings"]) == ("not_answered", [])
    assert np.isnan(answer.as_numpy("probabilities")).all()
    assert answer.as_numpy("heatmap")[0] == b""


def test_a_broken_image_is_an_error_in_the_protocols_form(client: triton.InferenceServerClient) -> None:
    """Trap: an error shown as Normal. There is no output of any kind, only the reason."""
    with pytest.raises(InferenceServerException, match="Expected a PNG or JPEG") as error:
        client.infer("pneumonia", [study(b"no image")], headers=token())
    assert error.value.status() == "422"


def test_an_unknown_model_or_output_is_an_error(client: triton.InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException, match="no such model"):
        client.infer("brain", [study(FILM)], headers=token())
    with pytest.raises(InferenceServerException, match="Expected outputs"):
        client.infer("pneumonia", [study(FILM)], outputs=[triton.InferRequestedOutput("mood")], headers=token())


def test_without_the_service_token_nothing_is_said(client: triton.InferenceServerClient, address: str) -> None:
    with pytest.raises(InferenceServerException) as error:
        client.infer("pneumonia", [study(FILM)])
    assert error.value.status() == "401"
    assert requests.get(f"http://{address}/healthz", timeout=5).status_code == 200


def test_the_card_is_what_the_application_shows(address: str) -> None:
    base = f"http://{address}/v2/models/pneumonia"
    model = Model.model_validate(requests.get(f"{base}/card", headers=token(), timeout=5).json())
    assert model.active_version == "1"
    version = model.versions[0]
    assert "Research use" in version.card
    plot = requests.get(f"{base}/versions/1/plots/{version.plots[0]}", headers=token(), timeout=5)
    assert plot.content.startswith(b"\x89PNG")
    assert requests.get(f"{base}/versions/1/plots/model.json", headers=token(), timeout=5).status_code == 404


def test_unload_and_load(client: triton.InferenceServerClient) -> None:
    client.unload_model("pneumonia", headers=token())
    assert not client.is_model_ready("pneumonia", headers=token())
    assert client.get_model_repository_index(headers=token())[0]["state"] == "UNAVAILABLE"
    assert not client.is_server_ready(headers=token())  # trap: a static health check
    client.load_model("pneumonia", headers=token())
    assert client.get_model_repository_index(headers=token())[0]["state"] == "READY"
    assert findings(client.infer("pneumonia", [study(FILM)], headers=token()))["label"] == "pneumonia"


def test_metrics_say_what_happened_and_nothing_of_whom(client: triton.InferenceServerClient, address: str) -> None:
    client.infer("pneumonia", [study(NOISE)], headers=token())
    text = requests.get(f"http://{address}/metrics", timeout=5).text
    assert 'lightbox_ml_refusals_total{model="pneumonia",reason="not_a_chest_film",version="1"}' in text
    for stage in ("queue", "prepare", "network", "interpret"):
        seconds = f'lightbox_ml_stage_seconds_count{{model="pneumonia",stage="{stage}",version="1"}} '
        assert re.search(rf"^{re.escape(seconds)}[1-9]", text, re.MULTILINE), stage
    for name in ("lightbox_ml_batch_images_count", "lightbox_ml_queue_images"):
        assert f'\n{name}{{model="pneumonia",version="1"}} ' in text
