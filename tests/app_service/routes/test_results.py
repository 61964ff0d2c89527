"""Reviews, artifacts, archives and models."""

import io
import json
import zipfile

import pytest
from dramatiq import Worker

from app_service.exports import overlay
from app_service.intake.dicom_names import TRANSFER_SYNTAXES
from app_service.routes import archives
from tests.app_service.conftest import Caller, film, wait_until
from tests.app_service.fake_ml import NETWORK, PNG, FakeMl

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def done(doctor: Caller, worker: Worker, ml: FakeMl) -> list[str]:
    """Two finished jobs, with a heatmap that is a real picture."""
    ml.heatmap = film(9, 16, 16)
    ids = [doctor.upload_one(seed)["id"] for seed in range(2)]
    wait_until(lambda: all(doctor.job(job_id)["state"] == "succeeded" for job_id in ids))
    return ids


def test_a_review_is_kept_with_its_author_and_can_be_changed(doctor: Caller, done: list[str]) -> None:
    path = f"/v1/jobs/{done[0]}"
    assert doctor.job(done[0])["review"] is None
    for verdict in ("disagree", "agree"):
        body = {"verdict": verdict, "comment": "Seen.", "reviewed_by": "somebody else"}
        answer = doctor.request("PUT", f"{path}/review", json=body)
        assert answer.status_code == 200, answer.text
    review = doctor.job(done[0])["review"]
    assert (review["verdict"], review["comment"], review["reviewed_by"]) == ("agree", "Seen.", "doctor")
    assert review["reviewed_at"] and doctor.job(done[1])["review"] is None
    assert doctor.request("PUT", f"{path}/review", json={"verdict": "perhaps"}).status_code == 422


def test_only_a_finished_answer_can_be_reviewed_or_archived(doctor: Caller) -> None:
    job = doctor.upload_one()["id"]
    assert doctor.request("PUT", f"/v1/jobs/{job}/review", json={"verdict": "agree"}).status_code == 409
    assert doctor.get(f"/v1/jobs/{job}/archive").status_code == 409
    assert doctor.get(f"/v1/jobs/{job}/artifacts/heatmap.png").status_code == 404


def test_an_archive_holds_image_heatmap_overlay_and_result(doctor: Caller, done: list[str]) -> None:
    answer = doctor.get(f"/v1/jobs/{done[0]}/archive")
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert archive.testzip() is None
    assert set(archive.namelist()) == {"image.png", "heatmap.png", "overlay.png", "result.json"}
    assert json.loads(archive.read("result.json"))["result"] == doctor.job(done[0])["result"]
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert "film" not in answer.headers["Content-Disposition"]


def test_many_jobs_come_in_one_archive_with_a_folder_each(
    doctor: Caller, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are looked up piece by piece, here one by one."""
    monkeypatch.setattr(archives, "AT_ONCE", 1)
    answer = doctor.post("/v1/archive", json={"job_ids": done})
    names = zipfile.ZipFile(io.BytesIO(answer.data)).namelist()
    assert {name.split("/")[0] for name in names} == set(done) and len(names) == 8


def test_the_overlay_is_drawn_over_the_whole_image(doctor: Caller, done: list[str]) -> None:
    drawn = doctor.get(f"/v1/jobs/{done[0]}/artifacts/overlay.png")
    assert drawn.status_code == 200 and drawn.mimetype == "image/png"
    image = doctor.get(f"/v1/studies/{doctor.job(done[0])['study_id']}/image").data
    assert drawn.data == overlay.overlay_png(image, film(9, 16, 16))
    known = {"If-None-Match": drawn.headers["ETag"]}
    assert doctor.get(f"/v1/jobs/{done[0]}/artifacts/overlay.png", headers=known).status_code == 304
    assert doctor.get(f"/v1/jobs/{done[0]}/artifacts/../../x").status_code in (404, 405)


def test_models_are_shown_with_their_cards_and_plots(doctor: Caller, admin: Caller) -> None:
    assert doctor.get("/v1/models").json["items"][0]["name"] == "pneumonia"  # type: ignore[index]
    assert admin.get("/v1/models/pneumonia").json["versions"][0]["card"] == "# Fake"  # type: ignore[index]
    plots = "/v1/models/pneumonia/versions/1/plots"
    assert doctor.get(f"{plots}/roc.png").data == PNG
    assert doctor.get(f"{plots}/other.png").status_code == doctor.get("/v1/models/other").status_code == 404
    assert admin.get("/v1/models/pneumonia/versions/1/network").json == NETWORK
    assert doctor.get("/v1/models/pneumonia/versions/9/network").status_code == 404


def test_the_limits_are_those_that_are_applied(doctor: Caller) -> None:
    limits = doctor.get("/v1/limits").json or {}
    assert limits["max_file_bytes"] == 2**20 and limits["max_pixels"] == 40_000_000
    assert limits["media_types"][:2] == ["image/png", "image/jpeg"]
    dicom = [each for each in limits["media_types"] if each.startswith("application/dicom")]
    assert dicom == [f"application/dicom; transfer-syntax={syntax}" for syntax in TRANSFER_SYNTAXES]  # the decoders'
