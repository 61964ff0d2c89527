"""A person's correction of a mask: beside the model's own, measured anew, undone at will, and nobody else's matter."""

import gzip
import io
import json
import zipfile
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from dramatiq import Worker

from app_service.parts import Parts
from app_service.storage.audit_trail import rows_after
from app_service.storage.database import reading
from tests.app_service.conftest import Caller, wait_until
from tests.app_service.fake_ml import FakeMl
from tests.app_service.fake_prompted import FakePrompted
from tests.app_service.intake.test_volume import AFFINES, VALUES, nifti
from tests.app_service.masks.test_prompted import file_of, outlined, pixels_of, png, study_of, two_discs

PICTURE = "mask_corrected.png"


@pytest.fixture(autouse=True)
def served(ml: FakeMl) -> None:
    ml.outlines, ml.prompted = True, FakePrompted()


def asked_for(doctor: Caller, study: str, model: str) -> dict[str, Any]:
    """The job of a model that needs no boxes, once it has ended."""
    made: Any = doctor.post(f"/v1/studies/{study}/jobs", json={"model": model}).json
    wait_until(lambda: doctor.job(made["id"])["state"] == "succeeded", 60)
    return doctor.job(made["id"])


def corrected(doctor: Caller, job: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    answer = doctor.request("PUT", f"/v1/jobs/{job['id']}/correction", json={"from_job": source["id"]})
    assert answer.status_code == 200 and answer.json, answer.text
    return dict(answer.json)


def names(job: dict[str, Any]) -> list[str]:
    return [item["name"] for item in job["artifacts"]]


def test_a_corrected_structure_takes_the_place_of_the_models(doctor: Caller, worker: Worker, parts: Parts) -> None:
    film = two_discs()  # the stand-in for lung-field takes the right disc for the left lung, and nothing for the right
    study = study_of(doctor, png(film))
    model = asked_for(doctor, study, "lung-field")
    own = pixels_of(file_of(doctor, model, "mask.png"))
    boxes = outlined(doctor, study, [{"box": [10, 5, 40, 25], "label": 2}, {"box": [110, 10, 119, 50], "label": 9}])
    job = corrected(doctor, model, boxes)
    made = pixels_of(file_of(doctor, job, PICTURE))
    expected = np.where(own == 2, 0, own)  # all that the model took for structure 2 is gone
    expected[5:26, 10:41][film[5:26, 10:41] > 100] = 2
    expected[10:51, 110:120][film[10:51, 110:120] > 100] = 9
    np.testing.assert_array_equal(made, expected)
    np.testing.assert_array_equal(pixels_of(file_of(doctor, job, "mask.png")), own)
    assert job["result"] == model["result"]
    said = job["correction"]
    assert (said["from_job"], said["corrected_by"]) == (boxes["id"], "doctor") and said["corrected_at"]
    measured = {each["index"]: (each["label"], each["pixels"]) for each in said["measurements"]}
    counts = {index: int((expected == index).sum()) for index in (1, 2, 9)}
    assert measured == {1: ("right_lung", counts[1]), 2: ("left_lung", counts[2]), 9: ("object 9", counts[9])}
    assert doctor.job(model["id"]) == job == doctor.get("/v1/jobs?model=lung-field").json["items"][0]  # type: ignore[index]
    archive = zipfile.ZipFile(io.BytesIO(doctor.get(f"/v1/jobs/{model['id']}/archive").data))
    assert {"mask.png", PICTURE} <= set(archive.namelist())
    assert json.loads(archive.read("result.json"))["correction"]["from_job"] == boxes["id"]
    with reading(parts.engine) as connection:
        done = [(row["action"], row["object_id"]) for row in rows_after(connection, 0)]
    assert ("correct", model["id"]) in done


def test_a_correction_is_replaced_and_undone(doctor: Caller, worker: Worker) -> None:
    study = study_of(doctor, png(two_discs()))
    model = asked_for(doctor, study, "lung-field")
    first = outlined(doctor, study, [{"box": [10, 5, 40, 25], "label": 1}])
    second = outlined(doctor, study, [{"box": [100, 10, 140, 50], "label": 1}])
    path = f"/v1/jobs/{model['id']}/artifacts/{PICTURE}"
    corrected(doctor, model, first)
    one = doctor.get(path)
    job = corrected(doctor, model, second)
    two = doctor.get(path, headers={"If-None-Match": one.headers["ETag"]})
    assert two.status_code == 200 and two.data != one.data  # a browser never shows the one before
    assert names(job).count(PICTURE) == 1
    undone = doctor.request("DELETE", f"/v1/jobs/{model['id']}/correction")
    assert undone.status_code == 200 and undone.json and undone.json["correction"] is None
    assert names(undone.json) == names(model) and doctor.get(path).status_code == 404
    again = doctor.request("DELETE", f"/v1/jobs/{model['id']}/correction")
    assert (again.status_code, again.json and again.json["code"]) == (404, "no_correction")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_volumes_mask_is_corrected_in_its_place(doctor: Caller, worker: Worker) -> None:
    values = np.zeros(VALUES.shape, np.int16)
    values[2:8, 5:9, 6:20] = 300  # "dense"
    values[2:8, 20:30, 6:20] = -80  # "fat"
    study = study_of(doctor, gzip.compress(nifti(values, AFFINES["oblique"])), "knee.nii.gz")
    model = asked_for(doctor, study, "ct-tissue")
    boxes = outlined(doctor, study, [{"box": [10, 4, 3, 15, 9, 4]}])
    job = corrected(doctor, model, boxes)
    mask = nib.Nifti1Image.from_bytes(gzip.decompress(file_of(doctor, job, "mask_corrected.nii.gz")))
    np.testing.assert_allclose(mask.affine, AFFINES["oblique"], atol=1e-5)
    expected = np.zeros(values.shape, np.uint8)
    expected[2:8, 20:30, 6:20] = 2
    expected[3:5, 5:9, 10:16] = 1
    np.testing.assert_array_equal(np.asarray(mask.dataobj), expected.T)
    dense, fat = job["correction"]["measurements"]
    voxel_ml = float(np.prod(np.linalg.norm(AFFINES["oblique"][:3, :3], axis=0))) / 1000
    assert (dense["voxels"], dense["volume_ml"]) == (48, pytest.approx(48 * voxel_ml, abs=0.01))
    assert (dense["mean_hu"], fat["mean_hu"]) == (300.0, -80.0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_makes_no_sense_is_refused(doctor: Caller, other: Caller, worker: Worker, ml: FakeMl) -> None:
    study, elsewhere = (study_of(doctor, png(pixels)) for pixels in (two_discs(), two_discs(70)))
    model, findings = asked_for(doctor, study, "lung-field"), asked_for(doctor, study, "pneumonia")
    box = {"box": [10, 5, 40, 25]}
    boxes, foreign = outlined(doctor, study, [box]), outlined(doctor, elsewhere, [box])
    nothing = outlined(doctor, study, [{"box": [60, 40, 70, 50]}])
    ml.delay_s = 3.0
    waiting: Any = doctor.post(f"/v1/studies/{study}/jobs", json={"model": "box-prompt", "prompts": [box]}).json

    def told(caller: Caller, job: str, source: str) -> tuple[int, str]:
        answer = caller.request("PUT", f"/v1/jobs/{job}/correction", json={"from_job": source})
        return answer.status_code, str(answer.json and answer.json["code"])

    assert told(doctor, model["id"], waiting["id"]) == (409, "wrong_state")
    assert told(doctor, model["id"], foreign["id"]) == (422, "other_study")
    assert told(doctor, model["id"], model["id"]) == (422, "same_job")
    assert told(doctor, model["id"], findings["id"]) == (422, "not_prompted")
    assert told(doctor, findings["id"], boxes["id"]) == (422, "no_mask")
    assert told(doctor, model["id"], nothing["id"]) == (422, "empty_mask")
    mine = study_of(other, png(two_discs()))
    theirs = outlined(other, mine, [box])
    assert told(other, theirs["id"], boxes["id"]) == told(other, model["id"], theirs["id"]) == (404, "not_found")
    assert other.request("DELETE", f"/v1/jobs/{model['id']}/correction").status_code == 404
    assert doctor.job(model["id"])["correction"] is None
