"""An imported network for volumes from its bundle to a mask on the scan's own grid, through the real tier."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import requests

from ml_service import architectures
from ml_service import manifest as manifests
from ml_service.checks import open_version
from ml_service.manifest import WEIGHTS
from ml_service.registry import Registry, memory_bytes
from ml_service.running import Passes
from ml_service.served_volume import ServedVolume
from ml_service.settings import Settings
from ml_service.sliding_window.stream import total
from ml_service.weights import load_into
from portal_wire.contract import Model
from portal_wire.errors import Conflict
from tests.ml_service.server import ml_server, token
from tests.ml_service.tiny_bundle import SIDES, bundle, packed, scan, tiny_version, unpacked


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = tmp_path_factory.mktemp("models")
    tiny_version(models)
    return models


@pytest.fixture(scope="module")
def tier(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ml_server(tmp_path_factory.mktemp("tier"), LIGHTBOX_MODEL_DIR=str(models)) as bind:
        yield bind


@pytest.fixture(scope="module")
def served(models: Path) -> Iterator[ServedVolume]:
    served = open_version(models / "organs" / "1", Settings(service_token=None))
    assert isinstance(served, ServedVolume)
    yield served
    served.close()


def ask(tier: str, image: "nibabel.Nifti1Image", request: str | None = None, **parameters: Any) -> requests.Response:
    study = {"name": "study", "shape": [1], "datatype": "BYTES", "data": [base64.b64encode(packed(image)).decode()]}
    body: dict[str, Any] = {"inputs": [study], "outputs": [{"name": "findings"}, {"name": "mask"}]}
    body |= {"parameters": parameters} | ({"id": request} if request else {})
    return requests.post(f"http://{tier}/v2/models/organs/infer", json=body, headers=token(), timeout=120)


def answer(response: requests.Response) -> tuple[dict[str, Any], bytes]:
    assert response.status_code == 200, response.text
    data = {output["name"]: output["data"][0] for output in response.json()["outputs"]}
    return json.loads(data["findings"]), base64.b64decode(data["mask"])


def test_the_whole_way_the_mask_lies_on_the_scans_own_grid(tier: str) -> None:
    image: Any = scan()
    findings, mask = answer(ask(tier, image))
    labels, affine = unpacked(mask)
    assert labels.shape == image.shape and (affine == unpacked(packed(image))[1]).all()
    assert findings["label"] == "segmented" and findings["warnings"] == []
    assert [row["label"] for row in findings["measurements"]] == ["spleen", "liver"]
    values = np.asarray(image.dataobj)
    for row in findings["measurements"]:
        here = labels == row["index"]
        assert row["voxels"] == int(here.sum()) > 100
        assert row["volume_ml"] == pytest.approx(row["voxels"] * 1.7 * 1.2 * 3.1 / 1000, abs=0.01)
        assert row["mean_hu"] == pytest.approx(values[here].mean(), abs=0.1)


def test_fast_reads_fewer_windows_and_says_so(tier: str) -> None:
    image = scan()
    usual, _ = answer(ask(tier, image))
    fast, mask = answer(ask(tier, image, fast=True))
    (notice,) = fast["warnings"]
    plan = bundle().plan
    # 34 voxels of 1.7 mm, 40 of 1.2 and 22 of 3.1 along P, L and S, at 2 x 1.5 x 2.5 mm along R, A and S.
    shape = (24, 38, 27)
    counts = total(shape, plan, fast=True), total(shape, plan)
    assert counts[0] < counts[1] / 4
    assert notice["code"] == "fast_setting"
    assert f"{counts[0]} windows in place of {counts[1]}" in notice["detail"]
    assert unpacked(mask)[0].shape == image.shape
    assert fast["measurements"] != usual["measurements"]
    for wrong in ("true", 1):
        assert ask(tier, image, fast=wrong).status_code == 400


def test_a_request_is_called_off_between_windows_and_the_next_one_has_the_engine(tier: str) -> None:
    answers: list[requests.Response] = []
    asking = threading.Thread(target=lambda: answers.append(ask(tier, scan((110, 130, 60)), request="long")))
    asking.start()
    seen: list[float] = []
    while asking.is_alive() and len(seen) < 3:
        told = requests.get(f"http://{tier}/v2/requests/long", headers=token(), timeout=30)
        if told.status_code == 200 and told.json()["progress"] not in (0, *seen):
            seen.append(told.json()["progress"])
        time.sleep(0.01)
    assert seen == sorted(seen) and seen[-1] < 0.9
    assert requests.delete(f"http://{tier}/v2/requests/long", headers=token(), timeout=30).status_code == 204
    asking.join()
    assert answers[0].status_code == 409 and answers[0].json()["code"] == "cancelled"
    assert answer(ask(tier, scan((10, 12, 8))))[0]["label"] == "segmented"


def test_what_the_tier_tells_of_it(tier: str) -> None:
    card = Model.model_validate(
        requests.get(f"http://{tier}/v2/models/organs/card", headers=token(), timeout=30).json()
    )
    assert card.fast and not card.prompted and card.negative_label is None and card.labels == ["spleen", "liver"]
    (version,) = card.versions
    assert version.not_ready is None and "RAS, 2 x 1.5 x 2.5 mm" in version.card
    path = f"http://{tier}/v2/models/organs/versions/1/network"
    assert requests.get(path, headers=token(), timeout=30).json()["input"] == [*SIDES, 1]
    document = requests.get(f"http://{tier}/v2/openapi.json", headers=token(), timeout=30).json()
    assert "fast" in document["components"]["schemas"]["InferenceRequest"]["properties"]["parameters"]["properties"]


def test_left_and_right_as_a_plain_pass_in_ras_says(served: ServedVolume, models: Path) -> None:
    """Trap: axes that are mirrored on the way there or back. The scan has the network's spacing and fits one window."""
    image: Any = scan((20, 15, 13))
    affine = image.affine.copy()
    affine[:3, :3] = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0) @ np.diag([1.5, 2.0, 2.5])
    image = nibabel.Nifti1Image(image.dataobj, affine)
    upright: Any = nibabel.as_closest_canonical(image)
    levels = np.pad(np.asarray(upright.dataobj, np.float32), [(0, 1), (2, 2), (1, 2)], constant_values=-175)
    network = architectures.build(served.manifest.architecture, served.manifest.params)
    load_into(network, models / "organs" / "1" / WEIGHTS)
    windows = np.clip((levels + 175) / 425, 0, 1)[None, ..., None]
    logits = np.asarray(network(windows)["logits"])[0]
    expected = nibabel.Nifti1Image(logits.argmax(-1)[:15, 2:22, 1:14].astype(np.uint8), upright.affine)
    seen = served.see_study(packed(image), wait_s=5)
    assert seen.outlined
    labels, own = unpacked(seen.outlined.mask())
    came: Any = nibabel.as_closest_canonical(nibabel.Nifti1Image(labels, own))
    assert np.allclose(came.affine, upright.affine)
    assert (np.asarray(came.dataobj) == np.asarray(expected.dataobj)).mean() > 0.999
    mirrored = np.asarray(came.dataobj)[::-1]
    assert (mirrored == np.asarray(expected.dataobj)).mean() < 0.95


def test_however_a_scan_is_stored_its_structures_lie_in_the_same_place(served: ServedVolume) -> None:
    image: Any = scan()
    stored: Any = nibabel.as_closest_canonical(image)
    masks = []
    for each in (image, stored):
        seen = served.see_study(packed(each), wait_s=5, fast=True)
        assert seen.outlined
        masks.append(nibabel.Nifti1Image(*unpacked(seen.outlined.mask())))
    one: Any = nibabel.as_closest_canonical(masks[0])
    assert (np.asarray(one.dataobj) == np.asarray(masks[1].dataobj)).all()


def test_what_was_called_off_while_it_waited_is_not_even_read(served: ServedVolume) -> None:
    begun = Passes()
    begun.call_off()
    with pytest.raises(Conflict):
        served.see_study(b"no volume", wait_s=5, begun=begun)


def test_what_is_no_ct_gets_no_organs(served: ServedVolume) -> None:
    image: Any = scan()
    seen = served.see_study(packed(nibabel.Nifti1Image(np.asarray(image.dataobj) // 4 + 300, image.affine)), wait_s=5)
    assert seen.outlined is None and seen.verdicts[0].warnings[0].code == "not_a_ct"


def test_a_broken_golden_volume_is_not_ready(tmp_path: Path) -> None:
    tiny_version(tmp_path)
    path = tmp_path / "organs" / "1" / manifests.FILE
    told = json.loads(path.read_text())
    told["golden"]["cases"][0]["shares"][0] += 0.01
    path.write_text(json.dumps(told))
    registry = Registry(Settings(service_token=None, model_dir=tmp_path))
    registry.load_all()
    assert "got another mask" in str(registry.readiness()["organs/1"])
    told["golden"]["cases"][0]["shares"][0] -= 0.01
    told["labels"] = told["labels"][:1]
    path.write_text(json.dumps(told))
    registry.load("organs")
    assert "labels" in str(registry.readiness()["organs/1"])


def test_a_version_is_weighed_with_what_it_works_in(models: Path, tmp_path: Path) -> None:
    manifest = manifests.read_any(models / "organs" / "1")
    assert memory_bytes(manifest) > 100 * 2**20 > 8 * manifest.parameters
    registry = Registry(Settings(service_token=None, model_dir=models, memory_mb=100))
    registry.load_all()
    assert "it needs about" in str(registry.readiness()["organs/1"])
    with pytest.raises(FileExistsError):
        tiny_version(models)
