"""A portal whose files are sealed at rest: films and volumes from upload to answer, to the viewer, and to their end."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from dramatiq import Worker

from app_service.intake.limits import IntakeSettings
from app_service.settings import Settings
from app_service.storage.store_keys import TextKey
from tests.app_service.conftest import Caller, film, wait_until
from tests.app_service.fake_ml import FakeMl
from tests.app_service.intake.test_volume import AFFINES, VALUES, nifti, slices

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def settings(tmp_path: Path, database_url: str, redis_url: str, ml: FakeMl, intake_socket: Path) -> Settings:
    plain = Settings(
        database_url=database_url,
        redis_url=redis_url,
        store_url=f"file://{tmp_path}/objects",
        ml_url=ml.url,
        ml_service_token="for-ml",
        service_token="between-services",
        intake=IntakeSettings(intake_socket),
        account_key="a key of the tests",
    )
    return replace(plain, store_key=TextKey("a key of the tests"))


def files(tmp_path: Path) -> list[Path]:
    return [path for name in ("studies", "jobs") for path in (tmp_path / "objects" / name).rglob("*") if path.is_file()]


def test_a_film_is_read_shown_saved_and_deleted(doctor: Caller, worker: Worker, ml: FakeMl, tmp_path: Path) -> None:
    ml.heatmap = film(9, 16, 16)
    job = doctor.upload_one(5)
    wait_until(lambda: doctor.job(job["id"])["state"] == "succeeded", 60)
    path = f"/v1/studies/{job['study_id']}"
    assert doctor.get(f"{path}/original").data == film(5)
    assert doctor.get(f"{path}/image").data.startswith(b"\x89PNG")
    assert doctor.get(f"/v1/jobs/{job['id']}/archive").status_code == 200
    kept = files(tmp_path)
    assert kept and all(file.name.endswith(".sealed") and b"PNG" not in file.read_bytes() for file in kept)
    assert doctor.request("DELETE", path).status_code == 204
    assert files(tmp_path) == []
    assert [file for file in (tmp_path / "objects" / ".incoming").rglob("*") if file.is_file()] == []


def test_a_volume_reaches_the_viewer_with_its_length(doctor: Caller) -> None:
    packed = gzip.compress(nifti(VALUES, AFFINES["oblique"]))
    (study,) = (doctor.upload((packed, "knee.nii.gz")).json or {})["studies"]
    sent = doctor.get(f"/v1/studies/{study['id']}/volume")
    assert sent.content_length == len(sent.data) and gzip.decompress(sent.data)
    assert doctor.get(f"/v1/studies/{study['id']}/original").data == packed


def test_a_series_is_segmented_from_its_sealed_original(doctor: Caller, worker: Worker, ml: FakeMl) -> None:
    ml.outlines = True
    answer = doctor.upload(*((data, name) for name, data in slices(AFFINES["plain"], VALUES).items()))
    (study,) = (answer.json or {})["studies"]
    started = doctor.post(f"/v1/studies/{study['id']}/jobs", json={"model": "ct-tissue"})
    assert started.status_code == 202, started.text
    job = str((started.json or {})["id"])
    wait_until(lambda: doctor.job(job)["state"] in ("succeeded", "failed"), 60)
    told = doctor.job(job)
    assert told["state"] == "succeeded", told["error"]
    masks = [one["name"] for one in told["artifacts"] if one["name"].endswith(".nii.gz")]
    assert masks and doctor.get(f"/v1/jobs/{job}/artifacts/{masks[0]}").status_code == 200
