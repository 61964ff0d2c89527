"""Boxes from the request to the mask: which model takes them, what is sent, and what of the answer is believed."""

import gzip
import io
from typing import Any

import cv2
import nibabel as nib
import numpy as np
import pytest
from dramatiq import Worker
from numpy.typing import NDArray

from tests.app_service.conftest import Caller, wait_until
from tests.app_service.fake_ml import FakeMl
from tests.app_service.fake_prompted import BOX_PROMPT, FakePrompted
from tests.app_service.intake.test_volume import AFFINES, VALUES, nifti

TWO = [{"box": [100, 10, 140, 50]}, {"box": [10, 5, 40, 25], "label": 7}]


@pytest.fixture(autouse=True)
def prompted(ml: FakeMl, monkeypatch: pytest.MonkeyPatch) -> FakePrompted:
    monkeypatch.setattr("app_service.running.run_job._AFTER_BREAK_S", 0.0)
    ml.prompted = FakePrompted()
    return ml.prompted


def two_discs(rows: int = 60, columns: int = 160) -> NDArray[np.uint8]:
    """A wide film: one disc right of its middle, a smaller one left of it."""
    film = np.full((rows, columns), 20, np.uint8)
    cv2.circle(film, (120, 30), 15, 220, -1)
    cv2.circle(film, (25, 15), 6, 180, -1)
    return film


def png(pixels: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".png", pixels)[1])


def study_of(doctor: Caller, data: bytes, name: str = "film.png") -> str:
    answer = doctor.upload((data, name))
    assert answer.status_code == 201 and answer.json, answer.text
    assert BOX_PROMPT not in [job["model"] for job in answer.json["jobs"]]
    return str(answer.json["studies"][0]["id"])


def outlined(doctor: Caller, study: str, prompts: list[dict[str, Any]]) -> dict[str, Any]:
    """The job once it has ended."""
    answer = doctor.post(f"/v1/studies/{study}/jobs", json={"model": BOX_PROMPT, "prompts": prompts})
    assert answer.status_code == 202 and answer.json, answer.text
    wait_until(lambda: doctor.job(answer.json["id"])["state"] in ("succeeded", "failed"), 60)
    return doctor.job(answer.json["id"])


def file_of(doctor: Caller, job: dict[str, Any], name: str) -> bytes:
    (url,) = [item["url"] for item in job["artifacts"] if item["name"] == name]
    answer = doctor.get(url)
    assert answer.status_code == 200, answer.text
    return answer.data


def pixels_of(png: bytes) -> NDArray[Any]:
    return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), -1))


def mask_of(doctor: Caller, job: dict[str, Any]) -> NDArray[Any]:
    return pixels_of(file_of(doctor, job, "mask.png"))


def test_boxes_reach_the_model_and_their_labels_come_back(
    doctor: Caller, worker: Worker, prompted: FakePrompted
) -> None:
    """Trap: x and y exchanged, on an image that is no square."""
    film = two_discs()
    job = outlined(doctor, study_of(doctor, png(film)), TWO)
    assert job["state"] == "succeeded", job["error"]
    assert job["prompts"] == [{"label": 1, "through": False} | TWO[0], {"through": False} | TWO[1]]
    assert prompted.asked == [
        {"inputs": ["boxes", "labels", "study"], "boxes": [box["box"] for box in TWO]}
        | {"labels": [1, 7], "through": [False, False]}
    ]
    mask = mask_of(doctor, job)
    assert set(np.unique(mask[:, 80:])) == {0, 1} and set(np.unique(mask[:, :80])) == {0, 7}
    np.testing.assert_array_equal(mask > 0, film > 100)
    named = [(each["label"], each["index"]) for each in job["result"]["measurements"]]
    assert named == [("object 1", 1), ("object 7", 7)]
    with np.load(io.BytesIO(file_of(doctor, job, "segs.npz"))) as npz:
        assert npz.files == ["segs"]
        np.testing.assert_array_equal(npz["segs"], mask)


def test_a_second_box_never_shows_the_first_ones_mask(doctor: Caller, worker: Worker) -> None:
    """Trap: a stale result."""
    study = study_of(doctor, png(two_discs()))
    first, second = outlined(doctor, study, TWO[:1]), outlined(doctor, study, [{"box": TWO[1]["box"]}])
    assert not mask_of(doctor, first)[:, :80].any() and not mask_of(doctor, second)[:, 80:].any()
    assert mask_of(doctor, second).any() and first["id"] != second["id"]
    assert [first["prompts"][0]["box"], second["prompts"][0]["box"]] == [TWO[0]["box"], TWO[1]["box"]]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_answer_about_other_boxes_is_not_believed(doctor: Caller, worker: Worker, ml: FakeMl) -> None:
    """Trap: a stale result of the ML tier, and x exchanged with y there."""
    study = study_of(doctor, png(two_discs()))
    sent: list[Any] = []
    ml.spoil = lambda said, mask: (sent.append((said, mask)), sent[0])[1]
    assert outlined(doctor, study, TWO[:1])["state"] == "succeeded"
    wrong = outlined(doctor, study, [{"box": TWO[1]["box"]}])
    assert wrong["state"] == "failed" and not wrong["artifacts"] and wrong["result"] is None
    assert outlined(doctor, study, [TWO[0] | {"label": 3}])["state"] == "failed"  # another label than was asked for


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_volume_is_sent_once_and_then_told_by_its_hash(
    doctor: Caller, worker: Worker, prompted: FakePrompted
) -> None:
    """Trap: slices that are no squares, in a volume that lies askew."""
    values = np.zeros(VALUES.shape, np.int16)  # 12 slices of 34 rows and 40 columns
    values[3:9, 4:9, 20:36] = 500
    study = study_of(doctor, gzip.compress(nifti(values, AFFINES["oblique"])), "knee.nii.gz")
    prompts = [{"box": [18, 2, 5, 38, 12, 5], "through": True}]
    job = outlined(doctor, study, prompts)
    assert job["state"] == "succeeded", job["error"]
    again = outlined(doctor, study, [{"box": [18, 2, 4, 38, 12, 6], "label": 2}])
    with_study = ["study" in asked["inputs"] for asked in prompted.asked]
    assert with_study == [False, True, False]  # not held yet, so it was sent; held
    assert [asked["through"] for asked in prompted.asked] == [[True], [True], [False]]
    mask = nib.Nifti1Image.from_bytes(gzip.decompress(file_of(doctor, job, "combined_labels.nii.gz")))
    np.testing.assert_array_equal(np.asarray(mask.dataobj), (values > 100).T)
    np.testing.assert_allclose(mask.affine, AFFINES["oblique"], atol=1e-5)
    with np.load(io.BytesIO(file_of(doctor, again, "segs.npz"))) as npz:
        expected = np.zeros_like(values, np.uint8)
        expected[4:7, 4:9, 20:36] = 2
        np.testing.assert_array_equal(npz["segs"], expected)  # slices, rows, columns, as the case's own `imgs`
        np.testing.assert_allclose(npz["spacing"], np.linalg.norm(AFFINES["oblique"][:3, :3], axis=0), rtol=1e-5)


def test_boxes_are_for_models_that_take_them_and_lie_in_the_study(doctor: Caller) -> None:
    study = study_of(doctor, png(two_discs()))
    path = f"/v1/studies/{study}/jobs"

    def refused(**body: Any) -> tuple[str, str]:
        answer = doctor.post(path, json={"model": BOX_PROMPT} | body)
        assert answer.status_code == 422 and answer.json, answer.text
        return answer.json["code"], answer.json["detail"]

    assert refused()[0] == refused(prompts=[])[0] == "prompts_missing"
    assert refused(model="pneumonia", prompts=TWO)[0] == "prompts_not_taken"
    code, detail = refused(prompts=[*TWO, {"box": [0, 0, 60, 160]}])
    assert code == "bad_prompt" and detail.startswith("prompts[2].box: y must lie from 0 to 59")
    for odd in ([1, 2, 3], [0, 0, float("nan"), 9], [0, 0, "a", 9], None):
        code, detail = refused(prompts=[{"box": odd}])
        assert code == "invalid_input" and "prompts" in detail, odd
    for label in (0, 256, 1.5):
        assert refused(prompts=[{"box": [0, 0, 9, 9], "label": label}])[0] == "invalid_input"
    assert refused(prompts=[{"box": [0, 0, 9, 9]}] * 65)[0] == "invalid_input"
    many = doctor.post("/v1/jobs", json={"study_ids": [study], "models": [BOX_PROMPT]})
    assert many.status_code == 422 and many.json and many.json["code"] == "prompts_missing"
    upload = doctor.upload((png(two_discs()), "film.png"), form={"model": BOX_PROMPT})
    assert upload.status_code == 422 and upload.json and upload.json["code"] == "prompts_missing"
    models = {model["name"]: model for model in doctor.get(f"/v1/models?study_id={study}").json["items"]}  # type: ignore[index]
    assert models[BOX_PROMPT]["prompted"] and not models["pneumonia"]["prompted"]


def test_a_retry_runs_with_the_same_boxes(doctor: Caller) -> None:
    study = study_of(doctor, png(two_discs()))
    made: Any = doctor.post(f"/v1/studies/{study}/jobs", json={"model": BOX_PROMPT, "prompts": TWO}).json
    doctor.post(f"/v1/jobs/{made['id']}/cancel")
    again = doctor.post(f"/v1/jobs/{made['id']}/retry")
    assert again.status_code == 202 and again.json and again.json["prompts"] == made["prompts"] != []
    assert doctor.job(made["id"])["prompts"] == made["prompts"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_boxes_of_an_npz_are_its_prompts_and_segs_come_back_in_its_order(
    doctor: Caller, worker: Worker, prompted: FakePrompted
) -> None:
    """Trap: boxes taken from the answer: the truth that lies in the file is about something else."""
    case = np.full((12, 34, 50), 20, np.uint8)  # slices, rows, columns, no two alike
    case[2:9, 4:9, 20:44] = 200
    truth = np.zeros_like(case)
    truth[2:9, 20:30, 5:15] = 1
    boxes = np.array([[18, 2, 3, 30, 12, 6], [35, 2, 3, 60, 12, 6]])
    file = io.BytesIO()
    np.savez_compressed(file, imgs=case, gts=truth, boxes=boxes, spacing=np.array([0.7, 0.9, 2.5]))
    answer: Any = doctor.upload((file.getvalue(), "3DBox_case.npz")).json
    (made,) = answer["jobs"]
    assert made["model"] == BOX_PROMPT
    assert [prompt["box"] for prompt in made["prompts"]] == [[18, 2, 3, 30, 12, 6], [35, 2, 3, 49, 12, 6]]
    wait_until(lambda: doctor.job(made["id"])["state"] == "succeeded", 60)
    assert prompted.asked[-1]["labels"] == [1, 2]
    assert doctor.job(made["id"])["result"]["warnings"] == []  # nobody expects a DICOM Segmentation of an NPZ
    expected = np.zeros_like(case)
    expected[3:7, 4:9, 20:31], expected[3:7, 4:9, 35:44] = 1, 2
    with np.load(io.BytesIO(file_of(doctor, doctor.job(made["id"]), "segs.npz"))) as npz:
        np.testing.assert_array_equal(npz["segs"], expected)
        np.testing.assert_allclose(npz["spacing"], [0.7, 0.9, 2.5], rtol=1e-5)
    named: Any = doctor.upload((file.getvalue(), "3DBox_case.npz"), form={"model": BOX_PROMPT}).json
    assert [job["prompts"] for job in named["jobs"]] == [made["prompts"]]
