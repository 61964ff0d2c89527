"""The worklist: rows, filters, and what is done with a selection."""

from datetime import UTC, datetime

from portal_wire.contract import JobState
from tests.ui_service.conftest import Visitor
from tests.ui_service.fake_answers import answer
from tests.ui_service.fake_app import FakeApp


def test_a_row_tells_state_answer_probability_and_review(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study(patient_reference="P-2291")
    job = fake.succeed(fake.add_job(study), answer("pneumonia", 0.91))
    fake.change(job, review={"verdict": "agree"})
    page = doctor.get("/").text
    for piece in ("P-2291", "X-ray", "pneumonia 1", "Done", "0.34 s", "Pneumonia suspected", "0.91", "Agreed"):
        assert piece in page, piece


def test_every_state_has_a_word_and_a_shape(doctor: Visitor, fake: FakeApp) -> None:
    shown = {"○": "Waiting, 3rd in line", "◐": "Working, 40%", "✕": "The disk is full.", "–": "Stopped"}  # noqa: RUF001
    fake.add_job(fake.add_study(), JobState.QUEUED, position=3)
    fake.add_job(fake.add_study(), JobState.RUNNING, progress=0.4)
    fake.add_job(fake.add_study(), JobState.FAILED, error={"code": "storage_full", "detail": "The disk is full."})
    fake.add_job(fake.add_study(), JobState.CANCELLED)
    page = doctor.get("/").text
    for shape, word in shown.items():
        assert f'aria-hidden="true">{shape}</span> {word}' in page
    assert '<progress value="0.4" aria-label="Progress of pneumonia">' in page
    assert "storage_full" in page
    assert page.count("Try again") == 3  # the failed row, the stopped row, and the uploader's pattern


def test_a_row_shows_the_newest_job_of_its_study(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    fake.succeed(fake.add_job(study), answer("pneumonia", 0.91))
    newest = fake.add_job(study)
    page = doctor.get("/").text
    assert f'sse-swap="job-{newest.id}"' in page
    assert "Pneumonia suspected" not in page


def test_an_image_without_a_job_says_so(doctor: Visitor, fake: FakeApp) -> None:
    fake.add_study()
    assert "No model has run" in doctor.get("/").text


def test_filters_stand_in_the_address_and_go_to_app(doctor: Visitor, fake: FakeApp) -> None:
    fake.add_study("alpha.png")
    fake.add_study("beta.png")
    page = doctor.get("/?q=alpha").text
    assert "alpha.png" in page
    assert "beta.png" not in page
    assert "No image matches" in doctor.get("/?state=failed&q=alpha").text


def test_days_become_moments_and_nonsense_is_left_out(fake: FakeApp) -> None:
    from ui_service.views.worklist import asked_of_app

    assert asked_of_app({"from": "2026-11-20", "to": "2026-11-21", "q": "x"}) == {
        "from": "2026-11-20T00:00:00Z",
        "to": "2026-11-21T23:59:59.999Z",
        "q": "x",
    }
    assert asked_of_app({"from": "yesterday"}) == {}


def test_run_on_all_selected(doctor: Visitor, fake: FakeApp) -> None:
    studies = [fake.add_study() for _ in range(3)]
    chosen = [study.id for study in studies[:2]]
    assert doctor.post("/selection/run", {"study": chosen, "model": "pneumonia"}).location == "/"
    assert sorted(job.study_id for job in fake.jobs.values()) == sorted(chosen)


def test_download_of_the_selection_is_one_zip(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    fake.succeed(fake.add_job(study), answer())
    answered = doctor.post("/selection/archive", {"study": [study.id]})
    assert answered.mimetype == "application/zip"
    assert answered.headers["Content-Disposition"] == 'attachment; filename="lightbox.zip"'
    assert doctor.post("/selection/archive", {"study": [fake.add_study().id]}).status_code == 400


def test_deleting_asks_first(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study("film.png")
    asked = doctor.post("/selection/delete", {"study": [study.id]})
    assert "film.png" in asked.text
    assert study.id in fake.studies
    doctor.post("/selection/delete", {"study": [study.id], "confirmed": "yes"})
    assert not fake.studies


def test_an_empty_or_foreign_selection_is_a_plain_message(doctor: Visitor) -> None:
    assert "select one image or more" in doctor.post("/selection/run", {"model": "pneumonia"}).text
    assert doctor.post("/selection/delete", {"study": ["../../x"]}).status_code == 400


def test_times_are_machine_readable(doctor: Visitor, fake: FakeApp) -> None:
    fake.add_study(uploaded_at=datetime(2026, 11, 21, 9, 41, tzinfo=UTC))
    assert '<time datetime="2026-11-21T09:41:00+00:00">09:41 UTC</time>' in doctor.get("/").text
