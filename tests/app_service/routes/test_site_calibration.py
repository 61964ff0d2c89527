"""A site's calibration: fitted from reviews, in force by an admin's choice, audited, and taken back at once."""

import time
from typing import Any

import pytest
from dramatiq import Worker
from sqlalchemy import select

from app_service.parts import Parts
from app_service.storage.database import reading
from app_service.storage.records import audit
from tests.app_service.conftest import Caller, film, wait_until
from tests.app_service.fake_ml import SITES, FakeMl, findings

PATH = "/v1/models/pneumonia/versions/1/site-calibration"


def answered(doctor: Caller, seed: int, **form: Any) -> dict[str, Any]:
    """A finished job on a film of its own."""
    job = doctor.upload((film(seed), "film.png"), form=form).json["jobs"][0]["id"]  # type: ignore[index]
    wait_until(lambda: doctor.job(job)["state"] == "succeeded")
    return doctor.job(job)


def reviewed(doctor: Caller, seed: int, verdict: str, **form: Any) -> str:
    job = str(answered(doctor, seed, **form)["id"])
    assert doctor.request("PUT", f"/v1/jobs/{job}/review", json={"verdict": verdict}).status_code == 200
    return job


def state(caller: Caller) -> dict[str, Any]:
    answer = caller.get(PATH)
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


@pytest.fixture
def cases(doctor: Caller, worker: Worker) -> None:
    """Two healthy and two ill by review, two of one patient; one of which nobody is sure."""
    for seed, verdict in enumerate(("agree", "agree", "disagree", "disagree", "unsure")):
        reviewed(doctor, seed, verdict, patient_reference="one" if seed < 2 else f"p{seed}")


@pytest.mark.usefixtures("cases")
def test_from_reviews_to_answers_and_back(doctor: Caller, admin: Caller, ml: FakeMl, parts: Parts) -> None:
    shipped = doctor.job(answered(doctor, 20)["id"])["result"]
    assert (shipped["calibration"], shipped["logits"], ml.calibrations) == (None, [2.0], [])
    assert state(doctor) == {"reviewed": {"normal": 2, "pneumonia": 2}, "left_out": {"unsure": 1}, "fits": []}

    made = admin.post(PATH)
    assert made.status_code == 201, made.text
    (fit,) = made.json["fits"]  # type: ignore[index]
    assert (fit["source"], fit["created_by"], fit["in_force"]) == ("reviews", "admin", False)
    assert fit["evidence"]["n"] == 4 and fit["evidence"]["left_out"] == {"unsure": 1}
    (asked,) = ml.cases
    assert (sorted(asked["classes"]), len(set(asked["patients"]))) == ([0, 0, 1, 1], 3)
    assert asked["logits"] == [[2.0]] * 4
    assert set(asked) == {"logits", "classes", "patients"}  # numbers only: no reference, no file name
    assert answered(doctor, 21)["result"]["calibration"] is None  # not in force yet

    assert admin.request("PUT", PATH, json={"in_force": fit["id"]}).json["fits"][0]["in_force"]  # type: ignore[index]
    time.sleep(0.6)
    sited = answered(doctor, 22)
    assert sited["result"]["calibration"] == {"id": fit["id"], "n": 4, "at": sited["result"]["calibration"]["at"]}
    assert sited["result"]["calibration"]["at"][:10] == fit["created_at"][:10]
    assert ml.calibrations == [SITES]

    for _ in range(2):  # the second time changes nothing
        assert admin.request("PUT", PATH, json={"in_force": None}).status_code == 200
    assert not state(doctor)["fits"][0]["in_force"]
    time.sleep(0.6)
    assert answered(doctor, 23)["result"]["calibration"] is None
    assert doctor.job(sited["id"])["result"]["calibration"]["id"] == fit["id"]  # an old answer stays what it was

    with reading(parts.engine) as connection:
        rows = list(connection.execute(select(audit).order_by(audit.c.at)))
    acts = [(row.action, row.object_id) for row in rows if "calibration" in row.action or "shipped" in row.action]
    version = "pneumonia/1"
    assert acts == [("fit_calibration", version), ("use_calibration", fit["id"]), ("use_shipped_values", version)]


@pytest.mark.usefixtures("cases")
def test_at_most_one_fit_of_a_version_is_in_force(admin: Caller) -> None:
    ids = [admin.post(PATH).json["fits"][0]["id"] for _ in range(2)]  # type: ignore[index]
    for chosen in ids:
        now = admin.request("PUT", PATH, json={"in_force": chosen}).json
        assert [fit["id"] for fit in now["fits"] if fit["in_force"]] == [chosen]  # type: ignore[index]
    other = "/v1/models/pneumonia/versions/2/site-calibration"
    assert admin.request("PUT", other, json={"in_force": ids[0]}).status_code == 404  # another version's
    assert admin.request("PUT", PATH, json={}).status_code == 422
    assert admin.get(other).json["fits"] == []  # type: ignore[index]


def test_with_too_few_cases_the_numbers_are_told(doctor: Caller, admin: Caller, worker: Worker) -> None:
    assert (admin.post(PATH).status_code, state(admin)["reviewed"]) == (422, {"normal": 0, "pneumonia": 0})
    reviewed(doctor, 1, "agree")
    refused = admin.post(PATH)
    assert (refused.status_code, refused.json["code"]) == (422, "too_few_cases")  # type: ignore[index]
    assert "there are [0, 1]" in refused.json["detail"]  # type: ignore[index]
    assert state(admin)["fits"] == []


def test_what_tells_no_class_is_left_out_and_counted(doctor: Caller, worker: Worker, ml: FakeMl) -> None:
    ml.said = findings() | {"label": "uncertain"}
    reviewed(doctor, 1, "disagree")
    ml.said = {name: value for name, value in findings().items() if name != "logits"}
    job = reviewed(doctor, 2, "agree")
    assert state(doctor)["left_out"] == {"not_answered": 1, "without_logits": 1}
    ml.said = findings()
    study = doctor.job(job)["study_id"]
    again = doctor.post(f"/v1/studies/{study}/jobs", json={"model": "pneumonia"}).json["id"]  # type: ignore[index]
    wait_until(lambda: doctor.job(again)["state"] == "succeeded")
    doctor.request("PUT", f"/v1/jobs/{again}/review", json={"verdict": "disagree"})
    found = state(doctor)
    assert found["reviewed"] == {"normal": 1, "pneumonia": 0}  # a study counts once, by its latest review
    assert found["left_out"] == {"not_answered": 1, "reviewed_again": 1}


@pytest.mark.usefixtures("cases")
def test_an_ml_tier_that_ignores_the_calibration_gives_no_answer(
    doctor: Caller, admin: Caller, ml: FakeMl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app_service.running.run_job._AFTER_BREAK_S", 0.0)
    fit = admin.post(PATH).json["fits"][0]["id"]  # type: ignore[index]
    admin.request("PUT", PATH, json={"in_force": fit})
    time.sleep(0.6)

    class Deaf(dict[str, Any]):
        def __or__(self, other: Any) -> Any:  # keeps saying "shipped"
            return self

    ml.said = Deaf(findings())
    job = doctor.upload_one(40)["id"]
    wait_until(lambda: doctor.job(job)["state"] == "failed")
    assert doctor.job(job)["result"] is None
