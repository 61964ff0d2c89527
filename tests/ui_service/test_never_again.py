"""The wrong-result traps of earlier systems, one named test each: none may come back."""

import pytest

from portal_wire.contract import JobState
from portal_wire.errors import Internal, Unavailable
from tests.ui_service.conftest import Visitor
from tests.ui_service.fake_answers import answer, grey_png, not_answered
from tests.ui_service.fake_app import FakeApp

ANSWERS = ("No pneumonia seen", "Pneumonia suspected", "Uncertain")
RESULT_LAYOUT = ('class="panel result"', 'class="scale', 'class="answer', 'class="said answer')
FAILURE = {"code": "model_unavailable", "detail": "The model did not answer in time."}


def assert_no_answer(page: str) -> None:
    for piece in (*ANSWERS, *RESULT_LAYOUT):
        assert piece not in page, piece


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED, JobState.QUEUED, JobState.RUNNING])
def test_an_unfinished_or_failed_job_is_never_shown_as_an_answer(
    doctor: Visitor, fake: FakeApp, state: JobState
) -> None:
    study = fake.add_study()
    job = fake.add_job(study, state, error=FAILURE if state is JobState.FAILED else None)
    for path in (f"/studies/{study.id}", f"/jobs/{job.id}/row", f"/jobs/{job.id}/answer"):
        assert_no_answer(doctor.get(path).text)
    row = doctor.get("/").text.partition('<tbody id="rows">')[2]
    assert_no_answer(row)


def test_a_result_left_in_a_failed_job_is_not_shown(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    fake.add_job(study, JobState.FAILED, error=FAILURE, result=answer("normal", 0.03))
    page = doctor.get(f"/studies/{study.id}").text
    assert_no_answer(page)
    assert "There is no answer" in page
    assert FAILURE["detail"] in page


@pytest.mark.parametrize("error", [Internal("It broke."), Unavailable("It is away.")])
def test_an_error_of_app_is_never_shown_as_an_answer(doctor: Visitor, fake: FakeApp, error: Exception) -> None:
    study = fake.add_study()
    job = fake.add_job(study)
    fake.succeed(job, answer("normal", 0.03))
    fake.broken = error  # type: ignore[assignment]
    for path in ("/", f"/studies/{study.id}", f"/jobs/{job.id}/answer"):
        for headers in ({}, {"HX-Request": "true"}):
            shown = doctor.get(path, headers=headers)
            assert shown.status_code >= 500
            assert_no_answer(shown.text)


def test_an_image_that_is_no_chest_xray_gets_no_probability_and_no_negative(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    fake.succeed(fake.add_job(study), not_answered())
    page = doctor.get(f"/studies/{study.id}").text
    assert "Not answered: this does not look like a chest X-ray" in page
    assert "No pneumonia seen" not in page
    assert 'class="scale' not in page
    assert 'class="probability' not in doctor.get("/").text


def test_a_label_that_nobody_knows_is_never_worded_as_negative(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    fake.succeed(fake.add_job(study), answer("something_new", 0.2))
    page = doctor.get(f"/studies/{study.id}").text
    assert "No pneumonia seen" not in page
    assert "Not answered" in page


@pytest.mark.parametrize(("label", "probability"), [("normal", 0.06), ("uncertain", 0.49), ("pneumonia", 0.91)])
def test_a_probability_is_always_that_of_the_class_named_beside_it(
    doctor: Visitor, fake: FakeApp, label: str, probability: float
) -> None:
    study = fake.add_study()
    job = fake.succeed(fake.add_job(study), answer(label, probability))
    row = doctor.get(f"/jobs/{job.id}/row").text
    page = doctor.get(f"/studies/{study.id}").text
    assert f"<small>pneumonia</small> {probability:.2f}" in row
    assert f"Probability of pneumonia: {probability:.2f}." in page
    for text in (row, page):
        assert f"{1 - probability:.2f}" not in text


def test_equal_file_names_stay_two_studies(doctor: Visitor, fake: FakeApp) -> None:
    first, second = fake.add_study("film.png"), fake.add_study("film.png", grey_png(300))
    fake.succeed(fake.add_job(first), answer("pneumonia", 0.91))
    fake.succeed(fake.add_job(second), answer("normal", 0.06))
    rows = doctor.get("/").text
    assert f'id="row-{first.id}"' in rows
    assert f'id="row-{second.id}"' in rows
    assert "Pneumonia suspected" in doctor.get(f"/studies/{first.id}").text
    assert "Pneumonia suspected" not in doctor.get(f"/studies/{second.id}").text.partition('id="answer"')[2]


def test_an_answer_is_never_shown_beside_another_image(doctor: Visitor, fake: FakeApp) -> None:
    first, second = fake.add_study("first.png"), fake.add_study("second.png")
    job = fake.succeed(fake.add_job(first), answer("pneumonia", 0.91))
    shown = doctor.get(f"/studies/{second.id}?job={job.id}")
    assert shown.status_code == 404
    assert_no_answer(shown.text)
    assert_no_answer(doctor.get(f"/studies/{second.id}").text)


def test_a_job_that_app_lists_for_the_wrong_study_is_left_out(
    doctor: Visitor, fake: FakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = fake.add_study("first.png"), fake.add_study("second.png")
    job = fake.succeed(fake.add_job(first), answer("pneumonia", 0.91))
    monkeypatch.setattr("ui_service.app_client.AppTier.jobs_of", lambda self, ids: [job])
    assert_no_answer(doctor.get(f"/studies/{second.id}").text)


def test_a_second_try_clears_what_the_first_one_showed(doctor: Visitor, fake: FakeApp) -> None:
    job = fake.add_job(fake.add_study(), JobState.FAILED, error=FAILURE)
    cells = doctor.post(f"/jobs/{job.id}/retry", headers={"HX-Request": "true"}).text
    assert FAILURE["detail"] not in cells
    assert f'<td id="answer-{job.id}" hx-swap-oob="innerHTML"></td>' in cells.replace("\n", "")
    assert "Waiting" in cells


def test_readiness_follows_app(doctor: Visitor, fake: FakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """A health check that never looks at what it depends on says nothing."""
    inner = "http://127.0.0.1:5001"
    assert doctor.client.get("/readyz", base_url=inner).status_code == 200
    monkeypatch.setattr("portal_wire.http_client.requests.Session.request", _refuse)
    answered = doctor.client.get("/readyz", base_url=inner)
    assert answered.status_code == 503
    assert answered.json["dependencies"]["app"]


def _refuse(*args: object, **options: object) -> None:
    import requests

    raise requests.ConnectionError("refused")
