"""The real tier and the shipped models that outline: a mask of the study's own size, and what was measured of it."""

import base64
import gzip
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import cv2
import nibabel
import numpy as np
import pytest
import requests
from numpy.typing import NDArray

from ml_service.engines import tensorflow
from ml_service.manifest import Rules, read
from ml_service.prompts.studies import Studies
from ml_service.running import Passes
from ml_service.served_rules import ServedRules
from ml_service.settings import SHIPPED
from ml_service.tasks import ct_tissue, lung_field
from ml_service.tasks.decode import grey_plane
from ml_service.training.rules import phantom
from portal_wire.contract import Model
from portal_wire.errors import Conflict
from tests.ml_service.server import ml_server, token

NAMES = ("lung-field", "ct-tissue")
LUNGS, TISSUES = (max((SHIPPED / name).iterdir(), key=lambda folder: int(folder.name)) for name in NAMES)  # the newest
ADULT = (LUNGS / "golden" / "adult.png").read_bytes()
CHILD = (LUNGS / "golden" / "child.jpg").read_bytes()
NOISE = (LUNGS / "golden" / "noise.png").read_bytes()
BODY = gzip.compress((TISSUES / "golden" / "phantom.nii").read_bytes(), 1)
KEYS = {"label", "index", "pixels", "voxels", "area_mm2", "volume_ml", "mean_hu", "share"}


@pytest.fixture(scope="module")
def tier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a tier with both models and one classifier."""
    models = tmp_path_factory.mktemp("models")
    for folder in (LUNGS, TISSUES, SHIPPED / "pneumonia" / "3"):
        (models / folder.parent.name).mkdir()
        (models / folder.parent.name / folder.name).symlink_to(folder)
    settings = {"LIGHTBOX_MODEL_DIR": str(models), "LIGHTBOX_ML_FIRST_MODELS": "lung-field,ct-tissue,pneumonia"}
    with ml_server(tmp_path_factory.mktemp("tier"), **settings) as bind:
        yield bind


def ask(
    tier: str, model: str, study: bytes, *outputs: str, request: str | None = None, **parameters: Any
) -> requests.Response:
    body = {
        "id": request,
        "inputs": [{"name": "study", "shape": [1], "datatype": "BYTES", "data": [base64.b64encode(study).decode()]}],
        "outputs": [{"name": name} for name in outputs or ("findings", "mask")],
        "parameters": parameters,
    }
    return requests.post(f"http://{tier}/v2/models/{model}/infer", json=body, headers=token(), timeout=120)


def get(tier: str, path: str) -> requests.Response:
    return requests.get(f"http://{tier}/v2/{path}", headers=token(), timeout=60)


def read_answer(response: requests.Response) -> tuple[dict[str, Any], bytes]:
    assert response.status_code == 200, response.text
    data = {output["name"]: output["data"][0] for output in response.json()["outputs"]}
    return json.loads(data["findings"]), base64.b64decode(data["mask"])


def label_map(mask: bytes) -> NDArray[Any]:
    found = cv2.imdecode(np.frombuffer(mask, np.uint8), cv2.IMREAD_UNCHANGED)
    assert found is not None and found.dtype == np.uint8 and found.ndim == 2
    return found


def png(plane: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", plane)[1].tobytes()


def test_a_film_gets_a_mask_of_its_own_size_and_measurements_in_label_order(tier: str) -> None:
    findings, mask = read_answer(ask(tier, "lung-field", ADULT, spacing_mm="[0.5, 0.25]"))
    found = label_map(mask)
    assert found.shape == grey_plane(ADULT).shape and set(np.unique(found)) == {0, 1, 2}
    assert findings["label"] == "segmented" and findings["in_distribution"] and not findings["calibrated"]
    assert findings["findings"] == [] and findings["logits"] is findings["uncertain_band"] is None
    assert findings["calibrated_for"] == "shipped" and findings["timings_s"]["network"] > 0
    assert [row["label"] for row in findings["measurements"]] == ["right_lung", "left_lung"]
    for index, row in enumerate(findings["measurements"], start=1):
        assert set(row) == KEYS and row["index"] == index
        assert row["pixels"] == int((found == index).sum()) > 1000
        assert row["area_mm2"] == pytest.approx(row["pixels"] * 0.125, abs=0.1)
        assert row["share"] == pytest.approx(row["pixels"] / found.size, abs=1e-5)


def test_left_and_right_a_mirrored_film_has_its_lungs_told_by_place(tier: str) -> None:
    """Trap: the right lung is 1 and on the picture's left, and the mask is not flipped on its way."""
    plane = grey_plane(ADULT)
    found = label_map(read_answer(ask(tier, "lung-field", png(plane)))[1])
    mirrored = label_map(read_answer(ask(tier, "lung-field", png(np.ascontiguousarray(plane[:, ::-1]))))[1])
    for one in (found, mirrored):
        assert np.nonzero(one == 1)[1].mean() < one.shape[1] / 2 < np.nonzero(one == 2)[1].mean()
    both = ((found > 0) & (mirrored[:, ::-1] > 0)).sum()
    assert 2 * both / ((found > 0).sum() + (mirrored > 0).sum()) > 0.9


@pytest.mark.parametrize("shape", [(500, 300), (300, 500), (3001, 2003)])
def test_non_square_and_large_films_get_a_mask_of_the_same_pixels(shape: tuple[int, int], tier: str) -> None:
    film = cv2.resize(grey_plane(ADULT), shape[::-1], interpolation=cv2.INTER_AREA)
    small = label_map(read_answer(ask(tier, "lung-field", ADULT))[1])
    for study in (png(film), cv2.imencode(".jpg", film, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()):
        findings, mask = read_answer(ask(tier, "lung-field", study))
        found = label_map(mask)
        assert found.shape == shape  # also of a JPEG that is read at a part of its size
        back = cv2.resize(found, small.shape[::-1], interpolation=cv2.INTER_NEAREST)
        assert (back != small).mean() < 0.02
        assert sum(row["pixels"] for row in findings["measurements"]) == int((found > 0).sum())


def test_batch_norm_mode_what_is_served_is_what_was_evaluated(tier: str) -> None:
    """Trap: means of the batch in place of the learnt ones. The evaluation ran TensorFlow on single films."""
    manifest = read(LUNGS)
    plane = grey_plane(ADULT)
    pixels = lung_field.prepare(plane, manifest.side)[np.newaxis]
    network = tensorflow.Network(manifest, LUNGS)
    alone, among_others = (network(np.concatenate([pixels, *more])).heat[0] for more in ([], [pixels * 0, 1 - pixels]))
    np.testing.assert_allclose(alone, among_others, atol=1e-3)
    served = label_map(read_answer(ask(tier, "lung-field", ADULT))[1])
    assert (served != lung_field.outline(alone, plane.shape)).mean() < 1e-4


def test_no_answer_is_stale_each_of_many_requests_at_once_gets_its_own_mask(tier: str) -> None:
    expected = {study: read_answer(ask(tier, "lung-field", study))[1] for study in (ADULT, CHILD, NOISE)}
    assert expected[NOISE] == b"" and expected[ADULT] != expected[CHILD]
    came: list[tuple[bytes, bytes]] = []

    def repeat(study: bytes) -> None:
        for _ in range(3):
            came.append((study, read_answer(ask(tier, "lung-field", study))[1]))

    threads = [threading.Thread(target=repeat, args=(study,)) for study in (ADULT, NOISE, CHILD, ADULT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(came) == 12
    for study, mask in came:
        if study == NOISE:
            assert mask == b""
        else:
            assert (label_map(mask) != label_map(expected[study])).mean() < 1e-3


def test_what_is_no_film_gets_no_mask_and_no_measurement(tier: str) -> None:
    findings, mask = read_answer(ask(tier, "lung-field", NOISE))
    assert mask == b"" and findings["measurements"] == [] and findings["label"] == "not_answered"
    assert findings["warnings"][0]["code"] == "not_a_chest_film"
    turned, mask = read_answer(ask(tier, "lung-field", png(np.ascontiguousarray(np.rot90(grey_plane(CHILD))))))
    assert mask == b"" and "quarter_turn_left" in {warning["code"] for warning in turned["warnings"]}


def test_a_ct_gets_the_tissues_that_were_drawn_on_its_own_affine(tier: str) -> None:
    findings, mask = read_answer(ask(tier, "ct-tissue", BODY))
    drawn = phantom.drawn()
    image: Any = nibabel.Nifti1Image.from_bytes(gzip.decompress(mask))
    came: Any = nibabel.Nifti1Image.from_bytes(gzip.decompress(BODY))
    assert (image.affine == came.affine).all() and image.shape == phantom.SHAPE
    found = np.asarray(image.dataobj)
    assert (found == drawn.truth).mean() > 0.99
    assert [row["label"] for row in findings["measurements"]] == list(ct_tissue.LABELS)
    for index, row in enumerate(findings["measurements"], start=1):
        assert set(row) == KEYS and row["voxels"] == int((found == index).sum()) and row["pixels"] is None
        assert row["volume_ml"] == pytest.approx(row["voxels"] * 0.06, abs=0.01)
        assert row["mean_hu"] == pytest.approx(phantom.LEVELS[index], abs=15)


def test_how_far_a_volume_is_can_be_asked_and_it_can_be_called_off(tier: str) -> None:
    values = phantom.drawn(noise=0).values.repeat(4, axis=0).repeat(4, axis=1).repeat(6, axis=2)
    study = gzip.compress(nibabel.Nifti1Image(values, np.eye(4)).to_bytes(), 1)
    answers: list[requests.Response] = []
    asking = threading.Thread(target=lambda: answers.append(ask(tier, "ct-tissue", study, request="slow")))
    asking.start()
    seen: list[float] = []
    while asking.is_alive() and len(seen) < 3:
        told = get(tier, "requests/slow")
        if told.status_code == 200 and told.json()["progress"] not in (0, *seen):
            seen.append(told.json()["progress"])
        time.sleep(0.01)
    assert len(seen) == 3 and seen == sorted(seen) and seen[-1] < 1
    assert requests.delete(f"http://{tier}/v2/requests/slow", headers=token(), timeout=30).status_code == 204
    asking.join()
    assert answers[0].status_code == 409 and answers[0].json()["code"] == "cancelled"


def test_a_volume_that_was_called_off_while_it_waited_is_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    served = ServedRules(Rules.model_validate_json((TISSUES / "model.json").read_text()), TISSUES, Studies(0))
    monkeypatch.setattr(served, "task", None)  # whatever is asked of it fails
    passes = Passes()
    passes.call_off()
    with pytest.raises(Conflict) as refused:
        served.see_study(b"a volume", 1.0, passes)
    served.close()
    assert refused.value.code == "cancelled"


def test_an_mr_gets_no_tissues(tier: str) -> None:
    values = (phantom.drawn().values + 1024) // 3
    study = gzip.compress(nibabel.Nifti1Image(values.astype(np.int16), np.eye(4)).to_bytes())
    findings, mask = read_answer(ask(tier, "ct-tissue", study))
    assert mask == b"" and findings["label"] == "not_answered" and findings["warnings"][0]["code"] == "not_a_ct"


def test_the_metadata_and_the_card_say_what_the_outputs_mean(tier: str) -> None:
    for name, folder, kind in (("lung-field", LUNGS, "image"), ("ct-tissue", TISSUES, "volume")):
        told = get(tier, f"models/{name}").json()
        labels = json.loads((folder / "model.json").read_text())["labels"]
        assert told["parameters"] == {"labels": labels, "negative_label": None, "kind": kind}
        assert [output["name"] for output in told["outputs"]] == ["findings", "mask"]
        card = Model.model_validate(get(tier, f"models/{name}/card").json())
        assert (card.kind, card.labels, card.negative_label, card.task) == (kind, labels, None, name)
        (version,) = card.versions
        assert version.not_ready is None and "Research use, not for diagnosis" in version.card and version.plots
    assert get(tier, f"models/ct-tissue/versions/{TISSUES.name}/network").status_code == 404
    assert get(tier, f"models/lung-field/versions/{LUNGS.name}/network").json()["layers"]


@pytest.mark.parametrize(
    ("model", "study", "outputs", "parameters", "status"),
    [
        ("lung-field", ADULT, ["heatmap"], {}, 400),
        ("pneumonia", ADULT, ["mask"], {}, 400),
        ("lung-field", ADULT, [], {"spacing_mm": "[0, 1]"}, 400),
        ("lung-field", ADULT, [], {"spacing_mm": "0.5"}, 400),
        ("lung-field", ADULT, [], {"spacing_mm": "[1, NaN]"}, 400),
        ("lung-field", ADULT, [], {"spacing_mm": 3}, 400),
        ("lung-field", ADULT, [], {"calibration": "{}"}, 400),
        ("lung-field", BODY, [], {}, 422),
        ("ct-tissue", ADULT, [], {}, 422),
        ("ct-tissue", BODY[:-200], [], {}, 422),
    ],
)
def test_what_cannot_be_answered_is_said_so(
    model: str, study: bytes, outputs: list[str], parameters: dict[str, Any], status: int, tier: str
) -> None:
    response = ask(tier, model, study, *outputs, **parameters)
    assert response.status_code == status, response.text


def test_no_site_calibrates_a_mask(tier: str) -> None:
    cases = {"logits": [[0.0]] * 80, "classes": [0] * 80, "patients": [*range(80)]}
    for name, folder in zip(NAMES, (LUNGS, TISSUES), strict=True):
        url = f"http://{tier}/v2/models/{name}/versions/{folder.name}/calibrate"
        assert requests.post(url, json=cases, headers=token(), timeout=30).status_code == 422


def test_masks_are_counted_as_what_they_are(tier: str) -> None:
    read_answer(ask(tier, "ct-tissue", BODY))
    text = requests.get(f"http://{tier}/metrics", headers=token(), timeout=30).text
    lines = [line for line in text.splitlines() if line.startswith("lightbox_ml_answers_total") and "ct-tissue" in line]
    outcomes = {line.split('outcome="')[1].split('"')[0]: float(line.rsplit(" ", 1)[1]) for line in lines}
    assert set(outcomes) == {"outlined", "refused"} and outcomes["outlined"] >= 1
