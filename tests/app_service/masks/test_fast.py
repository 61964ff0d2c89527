"""A model's fast setting: asked for with a job, kept with it, used by each attempt, and told with its answer."""

import gzip
import json
from typing import Any

import pytest
from dramatiq import Worker

from tests.app_service.conftest import Caller, film, wait_until
from tests.app_service.fake_ml import FakeMl
from tests.app_service.intake.test_volume import AFFINES, VALUES, nifti

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CT = gzip.compress(nifti(VALUES, AFFINES["oblique"]))


@pytest.fixture(autouse=True)
def offering(ml: FakeMl) -> None:
    ml.outlines = ml.offers_fast = True


def finished(doctor: Caller, job: dict[str, Any]) -> dict[str, Any]:
    wait_until(lambda: doctor.job(job["id"])["state"] in ("succeeded", "failed"), within_s=60)
    return doctor.job(job["id"])


def test_a_retry_is_as_fast_as_the_job_and_the_answer_says_so(doctor: Caller, ml: FakeMl, worker: Worker) -> None:
    usual = doctor.upload((CT, "abdomen.nii.gz"), form={"model": "ct-tissue"})
    assert usual.json
    assert finished(doctor, usual.json["jobs"][0])["fast"] is False and ml.fast == [False]
    path = f"/v1/studies/{usual.json['studies'][0]['id']}/jobs"
    ml.status, ml.code = 422, "undecodable"
    made = doctor.post(path, json={"model": "ct-tissue", "fast": True})
    assert made.status_code == 202 and made.json and made.json["fast"] is True
    assert finished(doctor, made.json)["state"] == "failed"
    ml.status = 200
    assert doctor.post(f"/v1/jobs/{made.json['id']}/retry").status_code == 202
    job = finished(doctor, made.json)
    assert job["state"] == "succeeded" and job["fast"] is True and ml.fast == [False, True]
    told = doctor.get(f"/v1/jobs/{job['id']}/artifacts/statistics.json")
    assert json.loads(told.data)["fast"] is True


def test_an_upload_and_many_jobs_can_be_fast(doctor: Caller, ml: FakeMl, worker: Worker) -> None:
    sent = doctor.upload((CT, "abdomen.nii.gz"), form={"model": "ct-tissue", "fast": "true"})
    assert sent.status_code == 201 and sent.json
    assert finished(doctor, sent.json["jobs"][0])["fast"] is True
    body = {"study_ids": [sent.json["studies"][0]["id"]], "models": ["ct-tissue"], "fast": True}
    many = doctor.post("/v1/jobs", json=body)
    assert many.json and finished(doctor, many.json["jobs"][0])["fast"] is True
    assert ml.fast == [True, True]


def test_who_asks_a_model_without_the_setting_is_told(doctor: Caller) -> None:
    study = doctor.upload_one()["study_id"]
    refused = doctor.post(f"/v1/studies/{study}/jobs", json={"model": "pneumonia", "fast": True})
    assert (refused.status_code, refused.json and refused.json["code"]) == (422, "fast_not_offered")
    for form in ({"fast": "true"}, {"model": "pneumonia", "fast": "yes"}, {"model": "pneumonia", "fast": "true"}):
        assert doctor.upload((film(1), "film.png"), form=form).status_code == 422
