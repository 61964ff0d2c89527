"""Starting, listing, cancelling and retrying jobs."""

import pytest
from sqlalchemy import update

from app_service.storage.database import writing
from app_service.storage.records import studies
from tests.app_service.conftest import Caller, film

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NOBODY = "01a1fd68-0152-729f-ac1c-e63c85352021"


def test_waiting_jobs_have_their_places(doctor: Caller) -> None:
    ids = [doctor.upload_one(seed)["id"] for seed in range(3)]
    assert [doctor.job(job_id)["position"] for job_id in ids] == [1, 2, 3]
    cancelled = doctor.post(f"/v1/jobs/{ids[0]}/cancel")
    assert cancelled.status_code == 202 and cancelled.json and cancelled.json["state"] == "cancelled"
    assert [doctor.job(job_id)["position"] for job_id in ids] == [None, 1, 2]


def test_what_is_over_cannot_be_cancelled_and_what_waits_cannot_be_retried(doctor: Caller) -> None:
    path = f"/v1/jobs/{doctor.upload_one()['id']}"
    assert doctor.post(f"{path}/retry").status_code == 409
    assert doctor.post(f"{path}/cancel").status_code == 202
    again = doctor.post(f"{path}/cancel")
    assert (again.status_code, again.json and again.json["code"]) == (409, "wrong_state")
    assert doctor.post(f"{path}/retry").status_code == 202


def test_many_studies_can_be_run_at_once(doctor: Caller) -> None:
    studies = [doctor.upload_one(seed)["study_id"] for seed in range(3)]
    answer = doctor.post("/v1/jobs", json={"study_ids": studies, "models": ["pneumonia"]})
    assert answer.status_code == 202 and answer.json
    assert [job["study_id"] for job in answer.json["jobs"]] == studies
    assert len(doctor.get("/v1/jobs").json["items"]) == 6  # type: ignore[index]


def test_all_are_started_or_none(doctor: Caller) -> None:
    study = doctor.upload_one()["study_id"]
    answer = doctor.post("/v1/jobs", json={"study_ids": [study, NOBODY], "models": ["pneumonia"]})
    assert answer.status_code == 404
    assert len(doctor.get("/v1/jobs").json["items"]) == 1  # type: ignore[index]


def test_a_model_runs_again_on_a_study_as_a_job_of_its_own(doctor: Caller) -> None:
    first = doctor.upload_one()
    answer = doctor.post(f"/v1/studies/{first['study_id']}/jobs", json={"model": "pneumonia", "version": "1"})
    assert answer.status_code == 202 and answer.json and answer.json["id"] != first["id"]
    for body in ({"model": "astrology"}, {"model": "pneumonia", "version": "9"}, {}, {"model": "x", "y": 1}):
        assert doctor.post(f"/v1/studies/{first['study_id']}/jobs", json=body).status_code == 422


def test_a_list_can_be_narrowed(doctor: Caller) -> None:
    first = doctor.upload((film(1), "left.png")).json["jobs"][0]  # type: ignore[index]
    second = doctor.upload((film(2), "right.png")).json["jobs"][0]  # type: ignore[index]
    doctor.post(f"/v1/jobs/{second['id']}/cancel")

    def ids(query: str) -> list[str]:
        return [job["id"] for job in doctor.get(f"/v1/jobs?{query}").json["items"]]  # type: ignore[index]

    assert ids("state=queued") == ids("q=left") == ids(f"study_id={first['study_id']}") == [first["id"]]
    assert ids(f"study_id={first['study_id']},{second['study_id']}") == [second["id"], first["id"]]
    assert ids("model=pneumonia&limit=1") == [second["id"]] and ids("model=x") == []


def test_a_request_that_is_no_json_says_what_was_expected(doctor: Caller) -> None:
    answer = doctor.post("/v1/jobs", data="{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400 and answer.mimetype == "application/problem+json"
    wrong = doctor.post("/v1/jobs", json={"study_ids": ["secret-value"], "models": ["pneumonia"]})
    assert wrong.status_code == 422 and wrong.json and "study_ids" in wrong.json["detail"]


def test_versions_of_one_model_run_side_by_side_to_be_compared(doctor: Caller) -> None:
    first = doctor.upload_one()
    wanted = [{"model": "pneumonia", "version": version} for version in ("1", "2")]
    body = {"study_ids": [first["study_id"]], "models": [*wanted, "pneumonia"], "purpose": "compare"}
    answer = doctor.post("/v1/jobs", json=body)
    assert answer.status_code == 202 and answer.json
    # The name alone means the active version, which is named already: it runs once.
    assert [(job["version"], job["purpose"]) for job in answer.json["jobs"]] == [("1", "compare"), ("2", "compare")]
    doctor.post(f"/v1/jobs/{answer.json['jobs'][0]['id']}/cancel")

    def ids(query: str) -> set[str]:
        return {job["id"] for job in doctor.get(f"/v1/jobs?{query}").json["items"]}  # type: ignore[index]

    assert ids("purpose=answer") == {first["id"]}
    assert ids("purpose=compare") == {job["id"] for job in answer.json["jobs"]}
    assert ids("") == ids("purpose=answer") | ids("purpose=compare")
    # The study's own state is that of its answer: a comparison that was stopped does not stop it.
    assert doctor.get("/v1/studies?state=cancelled").json["items"] == []  # type: ignore[index]
    assert len(doctor.get("/v1/studies?state=queued").json["items"]) == 1  # type: ignore[index]


def test_a_comparison_with_a_version_that_is_not_there_starts_nothing(doctor: Caller) -> None:
    study = doctor.upload_one()["study_id"]
    wanted = [{"model": "pneumonia", "version": version} for version in ("1", "9")]
    for change in ({"models": wanted}, {"models": ["pneumonia"], "purpose": "fun"}, {"models": [{"version": "1"}]}):
        answer = doctor.post("/v1/jobs", json={"study_ids": [study], "purpose": "compare"} | change)
        assert answer.status_code == 422, change
    assert len(doctor.get("/v1/jobs").json["items"]) == 1  # type: ignore[index]


def test_only_models_that_may_read_a_study_are_offered_for_it(doctor: Caller, other: Caller) -> None:
    study = doctor.upload_one()["study_id"]

    def offered(caller: Caller) -> list[str]:
        return [model["name"] for model in caller.get(f"/v1/models?study_id={study}").json["items"]]  # type: ignore[index]

    assert offered(doctor) == ["pneumonia"]
    assert other.get(f"/v1/models?study_id={study}").status_code == 404
    with writing(doctor.client.application.extensions["lightbox"].engine) as connection:
        connection.execute(update(studies).values(modality="MR"))
    assert offered(doctor) == []
