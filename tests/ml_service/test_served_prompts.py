"""The shipped box-prompt model, asked as App asks it: boxes in, masks out, in the study's own geometry."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
import pytest

from ml_service import answers
from ml_service import manifest as manifests
from ml_service.checks import Unfit, open_version
from ml_service.prompts.least_recent import LeastRecent
from ml_service.prompts.studies import Studies
from ml_service.protocol import Inference, Tensor, read_request
from ml_service.running import Passes
from ml_service.served import Seen
from ml_service.served_prompts import ServedPrompts
from ml_service.served_rules import ServedRules
from ml_service.settings import SHIPPED, Settings
from portal_wire.contract import SEGMENTED
from portal_wire.errors import BadRequest, Conflict, PortalError, Unprocessable
from tests.ml_service.prompts.volumes import nifti

FOLDER, TISSUES = SHIPPED / "box-prompt" / "1", SHIPPED / "ct-tissue" / "1"
SPHERE = {"middle": (20, 50, 60), "radius": 14}


@pytest.fixture(scope="module")
def served() -> Iterator[ServedPrompts]:
    """Opening it checks its golden slices."""
    version = open_version(FOLDER, Settings(service_token=None))
    assert isinstance(version, ServedPrompts)
    yield version
    version.close()


def picture(seed: int = 0) -> bytes:
    """A bright disc on the left, a dark one on the right, (100, 220): not square."""
    plane = np.full((100, 220), 110, np.float32)
    cv2.circle(plane, (60, 50), 25, 200, -1)
    cv2.circle(plane, (160, 40), 20, 30, -1)
    noisy = plane + np.random.default_rng(seed).normal(0, 5, plane.shape)
    return bytes(cv2.imencode(".png", np.clip(noisy, 0, 255).astype(np.uint8))[1].tobytes())


LEFT, RIGHT = (33.0, 24.0, 86.0, 76.0), (138.0, 19.0, 181.0, 61.0)


def ct() -> "tuple[bytes, Any]":
    """A sphere of 60 HU in fat, with air around the body: (40, 90, 120), and where the sphere is."""
    at = np.indices((40, 90, 120))
    truth = sum((at[n] - SPHERE["middle"][n]) ** 2 for n in range(3)) <= SPHERE["radius"] ** 2  # type: ignore[index, operator]
    values = np.where(truth, 60, -100).astype(np.int16)
    values[:, :8] = values[:, :, :8] = -1000
    values += np.random.default_rng(1).normal(0, 8, values.shape).astype(np.int16)
    return gzip.compress(nifti(values), 1), truth


def asked(
    boxes: Any, study: bytes | None = None, labels: Any = None, wanted: tuple[str, ...] = (), **parameters: Any
) -> Inference:
    """A request as the tier reads it."""
    rows = np.asarray(boxes, np.float32)
    head: dict[str, Any] = {"inputs": [], "parameters": parameters}
    head["inputs"].append(
        {"name": "boxes", "shape": list(rows.shape), "datatype": "FP32", "data": rows.ravel().tolist()}
    )
    if labels is not None:
        head["inputs"].append({"name": "labels", "shape": [len(labels)], "datatype": "INT32", "data": labels})
    body = json.dumps(head).encode()
    request = read_request(body, None)
    if study is not None:
        request.inputs["study"] = Tensor("study", "BYTES", (1,), [study])
    return request


def see(served: ServedPrompts, request: Inference) -> Seen:
    return answers.see(served, request, 30, Passes())


def mask_of(seen: Seen) -> Any:
    assert seen.outlined is not None
    return cv2.imdecode(np.frombuffer(seen.outlined.mask(), np.uint8), cv2.IMREAD_UNCHANGED)


def overlap(found: Any, truth: Any) -> float:
    return float(2 * (found & truth).sum() / (found.sum() + truth.sum()))


def test_two_boxes_give_two_labels_each_on_its_side(served: ServedPrompts) -> None:
    """Left and right, rows and columns: on an image that is not square, each object has the label of its own box."""
    seen = see(served, asked([LEFT, RIGHT], picture(), [2, 9]))
    mask = mask_of(seen)
    y, x = np.ogrid[:100, :220]
    assert mask.shape == (100, 220) and set(np.unique(mask)) == {0, 2, 9}
    assert overlap(mask == 2, (x - 60) ** 2 + (y - 50) ** 2 <= 25**2) > 0.85
    assert overlap(mask == 9, (x - 160) ** 2 + (y - 40) ** 2 <= 20**2) > 0.85
    rows = seen.outlined.measurements if seen.outlined else []
    assert [(row["index"], row["pixels"]) for row in rows] == [(n, int((mask == n).sum())) for n in (2, 9)]
    assert seen.verdicts[0].label == SEGMENTED


def test_a_second_box_on_the_same_slice_does_not_run_the_encoder(served: ServedPrompts) -> None:
    study = picture(seed=11)
    before = served.network.encoded
    see(served, asked([LEFT], study))
    assert served.network.encoded == before + 1
    see(served, asked([RIGHT], study))
    see(served, asked([LEFT, RIGHT], study))
    assert served.network.encoded == before + 1


def test_a_study_that_is_held_need_not_come_again_and_one_that_is_not_is_asked_for(served: ServedPrompts) -> None:
    study = picture(seed=12)
    name = hashlib.sha256(study).hexdigest()
    with pytest.raises(Conflict) as refused:
        see(served, asked([LEFT], study_sha256=name))
    assert refused.value.code == "study_not_held" and refused.value.status == 409
    sent = mask_of(see(served, asked([LEFT], study, study_sha256=name)))
    np.testing.assert_array_equal(mask_of(see(served, asked([LEFT], study_sha256=name))), sent)
    with pytest.raises(BadRequest, match="not that of the study"):
        see(served, asked([LEFT], picture(seed=13), study_sha256=name))


def test_a_sphere_is_followed_through_its_volume_and_keeps_its_geometry(served: ServedPrompts) -> None:
    study, truth = ct()
    z, y, x = SPHERE["middle"]  # type: ignore[misc]
    reach = SPHERE["radius"]
    box = [x - reach, y - reach, z, x + reach, y + reach, z]  # type: ignore[operator]
    seen = see(served, asked([box], study, through="[true]"))
    assert seen.outlined is not None
    came: Any = nibabel.Nifti1Image.from_bytes(gzip.decompress(seen.outlined.mask()))
    np.testing.assert_array_equal(came.affine, np.diag([0.7, 0.9, 3.0, 1.0]).astype(np.float32))
    labels = np.asarray(came.dataobj).transpose(2, 1, 0)
    assert labels.shape == truth.shape and overlap(labels > 0, truth) > 0.85
    slices = np.flatnonzero(labels.any(axis=(1, 2)))
    assert abs(slices[0] - 6) <= 2 and abs(slices[-1] - 34) <= 2
    (row,) = seen.outlined.measurements
    assert row["voxels"] == int((labels > 0).sum()) and row["mean_hu"] == pytest.approx(60, abs=25)
    assert row["volume_ml"] == pytest.approx(row["voxels"] * 0.7 * 0.9 * 3 / 1000, abs=0.01)


def test_a_request_that_was_called_off_ends_between_slices(served: ServedPrompts) -> None:
    passes = Passes()
    passes.call_off()
    before = served.network.encoded
    with pytest.raises(Conflict) as refused:
        answers.see(served, asked([[40, 30, 10, 80, 70, 30]], ct()[0]), 30, passes)
    assert refused.value.code == "cancelled" and served.network.encoded <= before + 1


def test_it_says_how_far_it_is(served: ServedPrompts) -> None:
    passes = Passes()
    answers.see(served, asked([[45, 35, 15, 75, 65, 25]], ct()[0]), 30, passes)
    assert len(passes) == 11 and all(one.done() for one in passes)


BAD = {
    "beyond the right edge": ([[10, 10, 220, 50]], 422),
    "before the left edge": ([[-1, 10, 50, 50]], 422),
    "inverted": ([[50, 10, 10, 50]], 422),
    "empty": ([[50, 10, 50, 50]], 422),
    "not a number": ([[float("nan"), 10, 50, 50]], 422),
    "infinite": ([[10, 10, float("inf"), 50]], 422),
    "six numbers for an image": ([[10, 10, 0, 50, 50, 0]], 422),
    "five numbers": ([[10, 10, 50, 50, 1]], 400),
    "one row too deep": ([[[10, 10, 50, 50]]], 400),
    "too many": ([[10, 10, 50, 50]] * 65, 400),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_box_is_refused_by_name(served: ServedPrompts, what: str) -> None:
    boxes, status = BAD[what]
    request = asked([[10, 10, 50, 50]], picture())
    rows = np.asarray(boxes, np.float32)
    request.inputs["boxes"] = Tensor("boxes", "FP32", rows.shape, rows)
    with pytest.raises(PortalError, match="boxes") as refused:
        see(served, request)
    assert refused.value.status == status


@pytest.mark.parametrize(
    "parameters",
    [{"through": "[true]"}, {"through": "yes"}, {"through": "[1]"}, {"study_sha256": "0"}, {"study_sha256": 5}],
)
def test_a_bad_parameter_is_refused_by_name(served: ServedPrompts, parameters: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match=next(iter(parameters))):
        see(served, asked([LEFT], picture(), **parameters))


@pytest.mark.parametrize("labels", [[0], [256], [1, 2]])
def test_bad_labels_are_refused(served: ServedPrompts, labels: list[int]) -> None:
    with pytest.raises(BadRequest, match="labels"):
        see(served, asked([LEFT], picture(), labels))


def test_a_box_beyond_the_volume_s_slices_is_refused(served: ServedPrompts) -> None:
    for z_min, z_max in ((0, 40), (-1, 3), (5, 4), (1.5, 2)):
        with pytest.raises(Unprocessable, match="box 0: z"):
            see(served, asked([[10, 10, z_min, 50, 50, z_max]], ct()[0]))


def test_boxes_are_never_taken_from_an_answer_that_came_with_the_study(served: ServedPrompts, tmp_path: Path) -> None:
    """An NPZ's `gts` holds the truth. It is no study here, no input takes it, and without boxes there is no answer."""
    path = tmp_path / "case.npz"
    np.savez(path, imgs=np.zeros((8, 8), np.uint8), gts=np.ones((8, 8), np.uint8), boxes=np.array([[1, 1, 5, 5]]))
    with pytest.raises(Unprocessable, match="study"):
        see(served, asked([[1, 1, 5, 5]], path.read_bytes()))
    request = asked([LEFT], picture())
    request.inputs["gts"] = Tensor("gts", "FP32", (1,), np.ones(1, np.float32))
    with pytest.raises(BadRequest, match="1 others"):
        see(served, request)
    del request.inputs["gts"], request.inputs["boxes"]
    with pytest.raises(BadRequest, match="boxes"):
        see(served, request)


def test_what_is_kept_is_bounded_and_the_least_recent_goes_first() -> None:
    store: LeastRecent[str] = LeastRecent(100)
    store.put("a", "A", 40)
    store.put("b", "B", 40)
    assert store.get("a") == "A"
    store.put("c", "C", 40)  # b was used longest ago
    assert (store.get("a"), store.get("b"), store.get("c")) == ("A", None, "C") and store.size_bytes == 80
    store.put("d", "D", 101)  # larger than all there is room for
    assert store.get("d") is None and store.size_bytes == 80
    store.put("a", "A again", 10)
    assert store.get("a") == "A again" and store.size_bytes == 50


def test_without_room_every_box_runs_the_encoder_and_the_answer_is_the_same(served: ServedPrompts) -> None:
    manifest = manifests.read_any(FOLDER)
    assert isinstance(manifest, manifests.Prompted)
    bare = ServedPrompts(manifest, FOLDER, Settings(service_token=None, embeddings_mb=0), Studies(0))
    try:
        masks = [mask_of(see(bare, asked([LEFT], picture()))) for _ in range(2)]
        assert bare.network.encoded == 2
        np.testing.assert_array_equal(masks[0], mask_of(see(served, asked([LEFT], picture()))))
        np.testing.assert_array_equal(masks[0], masks[1])
    finally:
        bare.close()


def test_the_first_box_finds_the_volume_that_the_tissues_were_read_from(served: ServedPrompts) -> None:
    """A box asked for by SHA-256 alone: by a version that shares the store, and by one that has a store of its own."""
    settings, studies = Settings(service_token=None), Studies(2**24)
    rules, prompted = open_version(TISSUES, settings, studies), open_version(FOLDER, settings, studies)
    assert isinstance(rules, ServedRules) and isinstance(prompted, ServedPrompts)
    study, sha256 = ct()[0], hashlib.sha256(ct()[0]).hexdigest()
    box = [[45, 36, 20, 75, 64, 20]]
    by_hash = asked(box, study_sha256=sha256)
    try:
        with pytest.raises(Conflict, match="not held"):
            see(prompted, by_hash)
        rules.see_study(study, wait_s=60)
        first = see(prompted, by_hash).outlined
        with pytest.raises(Conflict, match="not held"):
            see(served, by_hash)
        alone = see(served, asked(box, study)).outlined
        assert first is not None and alone is not None and first.mask() == alone.mask()
    finally:
        rules.close()
        prompted.close()


def test_a_version_that_outlines_otherwise_than_when_it_was_made_is_unfit(tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "box-prompt" / "1"
    shutil.copytree(FOLDER, folder)
    told = json.loads((folder / manifests.FILE).read_text())
    told["golden"]["cases"][0]["shares"][0] += 0.02
    (folder / manifests.FILE).write_text(json.dumps(told))
    with pytest.raises(Unfit, match="another mask"):
        open_version(folder, Settings(service_token=None))


def test_what_ships_is_small_and_reaches_what_its_card_says() -> None:
    manifest = manifests.read_any(FOLDER)
    metrics = json.loads((FOLDER / manifests.METRICS).read_text())
    assert isinstance(manifest, manifests.Prompted) and manifest.kind == "any"
    assert (FOLDER / manifests.WEIGHTS).stat().st_size < 10 * 2**20
    mean = metrics["test"]["mean"]
    assert mean["network"]["value"] > max(mean["ellipse"]["value"], mean["GrabCut"]["value"])
    assert f"{mean['network']['value']:.3f}" in (FOLDER / manifests.CARD).read_text()
    assert len(metrics["readings"]) >= 1
