"""The study page: viewer, answer card, review, downloads, runs, neighbours."""

from portal_wire.contract import Artifact, JobState
from tests.ui_service.conftest import Visitor
from tests.ui_service.fake_answers import answer
from tests.ui_service.fake_app import FakeApp


def test_the_answer_comes_before_the_numbers_and_they_before_the_machinery(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    fake.succeed(fake.add_job(study), answer("pneumonia", 0.91))
    page = doctor.get(f"/studies/{study.id}").text
    pieces = (
        "Pneumonia suspected",
        "operating point 0.46",
        "Of 100 validation images",
        "Timings and provenance",
        "/models/pneumonia",
    )
    places = [page.index(piece) for piece in pieces[:4]]
    assert places == sorted(places)
    assert 'href="/models/pneumonia#version-1"' in page


def test_the_uncertain_band_and_the_operating_point_are_drawn_and_said(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    fake.succeed(fake.add_job(study), answer("uncertain", 0.49))
    page = doctor.get(f"/studies/{study.id}").text
    assert "Operating point 0.46. Uncertain from 0.38 to 0.52." in page
    assert 'fill="url(#hatch)" x="136.8"' in page
    assert "Take it as no answer about pneumonia" in page


def test_warnings_of_the_image_and_of_the_answer_are_shown(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study(warnings=[{"code": "low_quality", "detail": "Strongly compressed."}])
    warning = {"code": "adult_film", "detail": "This film looks like an adult's."}
    fake.succeed(fake.add_job(study), answer(warnings=[warning]))
    page = doctor.get(f"/studies/{study.id}").text
    for piece in ("Strongly compressed.", "low_quality", "This film looks like an adult&#39;s.", "adult_film"):
        assert piece in page


def test_a_failed_run_offers_another_try_and_an_unfinished_one_a_stop(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    job = fake.add_job(study, JobState.RUNNING)
    doctor.get(f"/studies/{study.id}")
    assert doctor.post(f"/jobs/{job.id}/cancel").location == f"/studies/{study.id}?job={job.id}"
    assert "Stopped before there was an answer" in doctor.get(f"/studies/{study.id}").text
    doctor.post(f"/jobs/{job.id}/retry")
    assert fake.jobs[job.id].state is JobState.QUEUED


def test_what_app_forbids_is_said_as_a_page_or_a_fragment(doctor: Visitor, fake: FakeApp) -> None:
    job = fake.succeed(fake.add_job(fake.add_study()), answer())
    assert "<html" in doctor.post(f"/jobs/{job.id}/retry").text
    fragment = doctor.post(f"/jobs/{job.id}/retry", headers={"HX-Request": "true"})
    assert fragment.status_code == 409
    assert "This run has finished." in fragment.text
    assert "<html" not in fragment.text


def test_a_review_is_kept_and_shown(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    job = fake.succeed(fake.add_job(study), answer())
    said = {"verdict": "disagree", "comment": " Left lower lobe is clear. "}
    card = doctor.post(f"/jobs/{job.id}/review", said, headers={"HX-Request": "true"}).text
    assert "Disagreed by doctor" in card
    kept = fake.jobs[job.id].review
    assert kept is not None
    assert (kept.verdict, kept.comment) == ("disagree", "Left lower lobe is clear.")
    assert "Left lower lobe is clear." in doctor.get(f"/studies/{study.id}").text
    assert doctor.post(f"/jobs/{job.id}/review", {"verdict": "maybe"}).status_code == 422
    assert doctor.post(f"/jobs/{job.id}/review", said | {"comment": "x" * 2001}).status_code == 422


def test_downloads_keep_type_and_name(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    job = fake.succeed(fake.add_job(study), answer())
    assert doctor.get(f"/jobs/{job.id}/archive").mimetype == "application/zip"
    heatmap = doctor.get(f"/jobs/{job.id}/artifacts/heatmap.png")
    assert heatmap.mimetype == "image/png"
    assert heatmap.headers["Content-Disposition"] == 'attachment; filename="heatmap.png"'
    assert heatmap.headers["Cache-Control"] == "no-store"
    assert doctor.get(f"/jobs/{job.id}/result.json").json["result"]["label"] == "pneumonia"
    assert doctor.get(f"/studies/{study.id}/original").data == fake.images[study.id]


def test_an_answer_can_be_taken_away_without_the_patient(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    job = fake.succeed(fake.add_job(study), answer())
    page = doctor.get(f"/studies/{study.id}").text
    address = f"/jobs/{job.id}/archive?identity=removed"
    assert f'href="{address}"' in page and "surfaces=true" not in page
    assert doctor.get(address).mimetype == "application/zip" and fake.archived_as == {"identity": "removed"}
    surfaces = [Artifact(name="surfaces/left_lung.stl", media_type="model/stl", size_bytes=None, url="/")]
    fake.change(job, artifacts=[each.model_dump() for each in surfaces])
    page = doctor.get(f"/studies/{study.id}").text
    assert "Surface of left lung (STL)" in page and f'href="/jobs/{job.id}/archive?surfaces=true"' in page


def test_there_is_no_result_file_before_there_is_a_result(doctor: Visitor, fake: FakeApp) -> None:
    job = fake.add_job(fake.add_study(), JobState.RUNNING)
    assert doctor.get(f"/jobs/{job.id}/result.json").status_code == 409


def test_neighbours_follow_the_worklist_with_its_filters(doctor: Visitor, fake: FakeApp) -> None:
    oldest, skipped, newest = (fake.add_study(name) for name in ("a-1.png", "b-2.png", "a-3.png"))
    page = doctor.get(f"/studies/{newest.id}?q=a-").text
    assert "1 of 2" in page
    assert f'href="/studies/{oldest.id}?q=a-"' in page
    assert skipped.id not in page


def test_every_run_is_listed_and_can_be_opened(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    older = fake.succeed(fake.add_job(study), answer("pneumonia", 0.91))
    newer = fake.succeed(fake.add_job(study), answer("normal", 0.06))
    page = doctor.get(f"/studies/{study.id}").text
    assert f'sse-swap="answer-{newer.id}"' in page
    assert f"job={older.id}" in page
    assert f'sse-swap="answer-{older.id}"' in doctor.get(f"/studies/{study.id}?job={older.id}").text


def test_run_again_starts_a_new_job(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    doctor.get(f"/studies/{study.id}")
    answered = doctor.post(f"/studies/{study.id}/jobs", {"model": "pneumonia"})
    (job,) = fake.jobs.values()
    assert answered.location == f"/studies/{study.id}?job={job.id}"


def test_research_use_stands_on_every_page(doctor: Visitor, fake: FakeApp) -> None:
    study = fake.add_study()
    for path in ("/", f"/studies/{study.id}", "/models", "/models/pneumonia", "/sign-in", "/nothing-here"):
        answered = doctor.get(path, follow_redirects=True)
        assert "Research use. Not for diagnosis." in answered.text, path


def test_a_card_shows_scores_with_intervals_and_plots(doctor: Visitor) -> None:
    page = doctor.get("/models/pneumonia").text
    for piece in ("0.981", "0.972 to 0.989", "plots/roc.png", "Adults: it has learned from children"):
        assert piece in page
    # Beside simple models; who it was trained on, before the whole card repeats it; each look at the test images.
    for piece in ("0.981 / 0.940", "Who it was trained on", "Children of one hospital.", "2026-11-21", "its release"):
        assert piece in page
    assert "AUC 0.981" in doctor.get("/models").text
    assert doctor.get("/models/pneumonia/versions/1/plots/roc.png").mimetype == "image/png"
    assert doctor.get("/models/pneumonia/versions/1/plots/other.png").status_code == 404
    assert doctor.get("/models/none").status_code == 404


def test_a_network_is_printed_as_a_page_and_as_a_table(doctor: Visitor) -> None:
    address = "/models/pneumonia/versions/1/network"
    assert f'hx-get="{address}"' in doctor.get("/models/pneumonia").text
    page, table = doctor.get(address).text, doctor.get(address, headers={"HX-Request": "true"}).text
    for piece in ("stem", "Conv2D", "96 × 96 × 16", "400", "3.69", "4 million multiplications"):  # noqa: RUF001
        assert piece in page and piece in table, piece
    assert "<html" in page and "<html" not in table
