"""Models side by side: choosing, columns in every state, and who agrees with whom."""

import html
import re

import pytest

from portal_wire.contract import Job, JobState, Model, Study
from tests.ui_service.conftest import Visitor
from tests.ui_service.fake_answers import answer, not_answered
from tests.ui_service.fake_app import FakeApp
from tests.ui_service.fake_models import MODEL, versions
from ui_service.comparison import columns_of, newest_of_each, standings

FAILURE = {"code": "model_unavailable", "detail": "The model did not answer in time."}


@pytest.fixture
def study(fake: FakeApp) -> Study:
    fake.models = [versions(3)]
    return fake.add_study("film.png")


def compared(fake: FakeApp, study: Study, version: str, **changed: object) -> Job:
    return fake.add_job(study, version=version, purpose="compare", **changed)


def test_chosen_versions_run_once_each_and_are_shown(doctor: Visitor, fake: FakeApp, study: Study) -> None:
    page = doctor.get(f"/studies/{study.id}/compare").text
    for piece in ("pneumonia 1", "pneumonia 3", "cnn4", "2.4 MB", "1,234,567", "in use"):
        assert piece in page, piece
    chosen = ["pneumonia/1", "pneumonia/3", "pneumonia/3"]
    answered = doctor.post(f"/studies/{study.id}/compare", {"version": chosen})
    jobs = list(fake.jobs.values())
    assert [(job.version, job.purpose) for job in jobs] == [("1", "compare"), ("3", "compare")]
    assert answered.location == f"/studies/{study.id}/compare?version=pneumonia/1&version=pneumonia/3"
    page = doctor.get(answered.location).text
    assert all(f'id="column-{job.id}"' in page and f'hx-trigger="sse:answer-{job.id}"' in page for job in jobs)
    assert page.count("checked") == 2
    assert "choose one model or more" in doctor.post(f"/studies/{study.id}/compare").text


def test_only_suitable_versions_that_can_run_are_offered(doctor: Visitor, fake: FakeApp, study: Study) -> None:
    brain = MODEL.model_copy(update={"name": "brain-tumour", "modalities": ["MR"]})
    first, second, third = versions(3).versions
    second = second.model_copy(update={"not_ready": "its files are not those that were released"})
    third = third.model_copy(update={"state": "retired"})
    fake.models = [brain, MODEL.model_copy(update={"versions": [first, second, third]})]
    page = doctor.get(f"/studies/{study.id}/compare").text
    assert "brain-tumour" not in page
    assert 'value="pneumonia/2" disabled' in page and "cannot run: its files" in page
    assert "pneumonia/3" not in page


def test_a_compare_run_never_becomes_the_answer(doctor: Visitor, fake: FakeApp, study: Study) -> None:
    fake.succeed(fake.add_job(study), answer("normal", 0.06))
    other = fake.succeed(compared(fake, study, "2"), answer("pneumonia", 0.97))
    for path in ("/", f"/studies/{study.id}"):
        page = doctor.get(path).text
        assert "No pneumonia seen" in page and "Pneumonia suspected" not in page, path
    assert "Pneumonia suspected" in doctor.get(f"/studies/{study.id}?job={other.id}").text
    assert "1 run compared" in doctor.get(f"/studies/{study.id}").text


def test_a_study_that_was_only_compared_has_no_answer(doctor: Visitor, fake: FakeApp, study: Study) -> None:
    fake.succeed(compared(fake, study, "2"), answer("pneumonia", 0.97))
    assert "Models were only compared on this image." in doctor.get(f"/studies/{study.id}").text
    assert "Pneumonia suspected" not in doctor.get("/").text


def test_a_column_tells_answer_size_and_time(doctor: Visitor, fake: FakeApp, study: Study) -> None:
    job = fake.succeed(compared(fake, study, "2"), answer("pneumonia", 0.91))
    page = doctor.get(f"/studies/{study.id}/compare").text
    pieces = ("Pneumonia suspected", "operating point 0.46", "cnn4 · 2.4 MB · 1,234,567 parameters", "110 ms", "340 ms")
    for piece in (
        *pieces,
        'href="/models/pneumonia#version-2"',
        f'data-heatmap="/jobs/{job.id}/artifacts/heatmap.png"',
    ):
        assert piece in page, piece


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (JobState.QUEUED, "Waiting"),
        (JobState.RUNNING, "Working"),
        (JobState.FAILED, "There is no answer"),
        (JobState.CANCELLED, "Stopped before there was an answer"),
    ],
)
def test_no_state_but_done_looks_like_an_answer(
    doctor: Visitor, fake: FakeApp, study: Study, state: JobState, said: str
) -> None:
    job = compared(fake, study, "1", state=state, error=FAILURE if state is JobState.FAILED else None)
    column = doctor.get(f"/jobs/{job.id}/column")
    assert said in column.text
    assert "seen" not in column.text and "suspected" not in column.text and "<svg" not in column.text
    unfinished = state in (JobState.QUEUED, JobState.RUNNING)
    assert ("every 3s" in column.text) == unfinished
    assert (column.headers.get("HX-Trigger") == "compared") == (not unfinished)
    assert "No model has answered" in doctor.get(f"/studies/{study.id}/compare").text


def test_a_refused_image_is_never_counted_as_an_answer(doctor: Visitor, fake: FakeApp, study: Study) -> None:
    fake.succeed(compared(fake, study, "1"), answer("normal", 0.06))
    fake.succeed(compared(fake, study, "2"), not_answered())
    standing = doctor.get(f"/studies/{study.id}/compare/standing").text
    assert "One model answered: No pneumonia seen" in standing
    assert "No answer" in standing and "agree" not in standing


def test_agreement_and_disagreement_are_said(fake: FakeApp, study: Study) -> None:
    runs = [compared(fake, study, version) for version in "123"]
    for run, probability in zip(runs, (0.91, 0.88, 0.97), strict=True):
        fake.succeed(run, answer("pneumonia", probability))
    assert _said(fake) == [("agree", "All 3 models that answered agree: Pneumonia suspected")]
    fake.succeed(fake.jobs[runs[2].id], answer("uncertain", 0.45))
    assert _said(fake) == [("disagree", "The 3 models that answered disagree")]
    fake.change(fake.jobs[runs[1].id], state=JobState.RUNNING, result=None)
    fake.succeed(fake.jobs[runs[2].id], answer("pneumonia", 0.97))
    assert _said(fake) == [("agree", "Both models that answered agree: Pneumonia suspected so far")]


def test_models_of_different_tasks_neither_agree_nor_disagree(fake: FakeApp, study: Study) -> None:
    brain = MODEL.model_copy(update={"name": "brain-tumour", "task": "Tumour or not, on one MR slice"})
    fake.models = [brain, MODEL]
    fake.succeed(compared(fake, study, "1"), answer("normal", 0.06))
    fake.succeed(compared(fake, study, "1", model="brain-tumour"), answer("none", 0.02))
    assert [verdict for verdict, _ in _said(fake)] == ["alone", "alone"]


def test_the_newest_run_of_each_version_stands_in_order(fake: FakeApp, study: Study) -> None:
    runs = [compared(fake, study, version) for version in ("10", "2", "10")]
    assert newest_of_each(reversed(runs)) == [runs[1], runs[2]]


def test_another_images_runs_are_not_mixed_in(doctor: Visitor, fake: FakeApp, study: Study) -> None:
    elsewhere = fake.succeed(compared(fake, fake.add_study(), "1"), answer("pneumonia", 0.91))
    mine = fake.succeed(compared(fake, study, "1"), answer("normal", 0.06))
    page = doctor.get(f"/studies/{study.id}/compare?version=pneumonia/1").text
    assert mine.id in page and elsewhere.id not in page


def test_several_selected_images_are_compared_at_once(doctor: Visitor, fake: FakeApp, study: Study) -> None:
    other = fake.add_study("other.png")
    opened = doctor.post("/selection/compare", {"study": [study.id, other.id]})
    assert opened.location == f"/studies/{study.id}/compare?among={study.id}&among={other.id}"
    page = doctor.get(opened.location).text
    assert "1 of 2 selected" in page and "on all 2 selected images" in page
    chosen = {"version": ["pneumonia/1", "pneumonia/2"], "among": [study.id, other.id]}
    shown = doctor.post(f"/studies/{study.id}/compare", chosen).location
    assert sorted((job.study_id, job.version) for job in fake.jobs.values()) == sorted(
        (each.id, version) for each in (study, other) for version in "12"
    )
    page = doctor.get(shown).text
    onwards = re.search(r'href="([^"]+)" data-key="j"', page)
    assert onwards and onwards[1].startswith(f"/studies/{other.id}/compare")
    assert doctor.get(html.unescape(onwards[1])).text.count('class="panel column"') == 2
    single = doctor.post("/selection/compare", {"study": [study.id]})
    assert single.location == f"/studies/{study.id}/compare"
    assert doctor.get(f"/studies/{study.id}/compare?among=x").status_code == 400
    many = "&".join(f"among={study.id}" for _ in range(51))
    assert "at most 50 images" in doctor.get(f"/studies/{study.id}/compare?{many}").text


def _said(fake: FakeApp) -> list[tuple[str, str]]:
    models: list[Model] = fake.models
    return [(each.verdict, each.sentence) for each in standings(columns_of(newest_of_each(fake.jobs.values()), models))]
