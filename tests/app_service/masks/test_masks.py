"""From a study to a stored mask, of its own size and in its own place; a wrong one is never shown."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import cv2
import nibabel as nib
import numpy as np
import pytest
from dramatiq import Worker
from numpy.typing import NDArray

from tests.app_service.conftest import Caller, film, wait_until
from tests.app_service.fake_ml import FakeMl, outlined_picture, outlined_volume, segmented
from tests.app_service.intake.dicom_maker import made
from tests.app_service.intake.test_volume import AFFINES, VALUES, nifti, slices

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Spoil = Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]]
CT = gzip.compress(nifti(VALUES, AFFINES["oblique"]))


@pytest.fixture(autouse=True)
def quick(ml: FakeMl, monkeypatch: pytest.MonkeyPatch) -> None:
    ml.outlines = True
    monkeypatch.setattr("app_service.running.run_job._AFTER_BREAK_S", 0.0)


def run(doctor: Caller, data: bytes, name: str, model: str) -> dict[str, Any]:
    """The job once it has ended."""
    answer = doctor.upload((data, name), form={"model": model})
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    (job,) = answer.json["jobs"]
    wait_until(lambda: doctor.job(job["id"])["state"] in ("succeeded", "failed"), within_s=60)
    return doctor.job(job["id"])


def file_of(doctor: Caller, job: dict[str, Any], name: str) -> bytes:
    (url,) = [item["url"] for item in job["artifacts"] if item["name"] == name]
    answer = doctor.get(url)
    assert answer.status_code == 200
    return answer.data


def pixels_of(png: bytes) -> NDArray[Any]:
    return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED))


def volume_of(data: bytes) -> nib.Nifti1Image:
    return nib.Nifti1Image.from_bytes(gzip.decompress(data))


@pytest.mark.parametrize(("rows", "columns"), [(96, 250), (250, 96)], ids=["wide", "high"])
def test_a_mask_has_the_size_and_the_sides_of_its_image(
    doctor: Caller, worker: Worker, rows: int, columns: int
) -> None:
    """Non-square images, left and right."""
    study = film(3, rows, columns)
    job = run(doctor, study, "film.png", "lung-field")
    assert job["state"] == "succeeded", job["error"]
    mask = pixels_of(file_of(doctor, job, "mask.png"))
    np.testing.assert_array_equal(mask, outlined_picture(study))
    assert set(np.unique(mask[:, : columns // 2])) == {0, 1} and set(np.unique(mask[:, columns // 2 :])) == {0, 2}
    right, left = job["result"]["measurements"]
    assert right["extent_mm"] is None
    assert (right["label"], right["pixels"]) == ("right_lung", int((mask == 1).sum()))
    assert (left["label"], left["pixels"]) == ("left_lung", int((mask == 2).sum()))
    assert right["area_mm2"] is None
    assert [item["name"] for item in job["artifacts"]] == [
        *("mask.png", "statistics.json", "overlay.png", "measurements.csv", "labels.csv")
    ]
    assert json.loads(file_of(doctor, job, "statistics.json"))["labels"] == {
        "0": "background", "1": "right_lung", "2": "left_lung"
    }  # fmt: skip


def test_a_large_jpeg_is_outlined_itself_and_not_its_reading_copy(doctor: Caller, worker: Worker) -> None:
    large = np.kron(pixels_of(film(1, 24, 30)), np.ones((40, 40), np.uint8))
    study = bytes(cv2.imencode(".jpg", large)[1])
    job = run(doctor, study, "film.jpg", "lung-field")
    assert pixels_of(file_of(doctor, job, "mask.png")).shape == (960, 1200)


def test_the_overlay_shows_the_structures_in_their_places(doctor: Caller, worker: Worker) -> None:
    study = film(3, 96, 200)
    job = run(doctor, study, "film.png", "lung-field")
    drawn, mask = pixels_of(file_of(doctor, job, "overlay.png")), outlined_picture(study)
    plain = np.repeat(pixels_of(study)[..., None], 3, axis=2)
    assert drawn.shape == (96, 200, 3)
    assert (drawn != plain).any(axis=2)[mask > 0].all() and (drawn == plain)[mask == 0].all()


def test_a_volume_mask_lies_where_its_volume_does(doctor: Caller, worker: Worker) -> None:
    job = run(doctor, CT, "abdomen.nii.gz", "ct-tissue")
    assert job["state"] == "succeeded", job["error"]
    expected = outlined_volume(CT)
    combined = volume_of(file_of(doctor, job, "combined_labels.nii.gz"))
    assert combined.get_data_dtype() == np.uint8
    np.testing.assert_allclose(combined.affine, AFFINES["oblique"], atol=1e-5)
    np.testing.assert_array_equal(np.asarray(combined.dataobj), np.asarray(expected.dataobj))
    for index, label in enumerate(("dense", "fat"), 1):
        one = volume_of(file_of(doctor, job, f"segmentations/{label}.nii.gz"))
        np.testing.assert_array_equal(one.affine, combined.affine)
        np.testing.assert_array_equal(np.asarray(one.dataobj), np.asarray(expected.dataobj) == index)
    assert [each["voxels"] > 0 for each in job["result"]["measurements"]] == [True, True]
    rows = list(csv.reader(io.StringIO(file_of(doctor, job, "labels.csv").decode())))
    assert rows[1:] == [["0", "background", ""], ["1", "dense", "#56b4e9"], ["2", "fat", "#e69f00"]]


def test_a_volume_s_mask_is_drawn_over_the_three_slices_through_its_middle(doctor: Caller, worker: Worker) -> None:
    """Left and right: dense is what lies at the patient's left, front and head, so at the right and top of a slice."""
    values = np.zeros((20, 60, 50), np.int16)  # slices, rows, columns; from right to left, front to back, foot to head
    values[14:18, 6:20, 30:44] = 500
    values[0, 0, 0], values[14, 6, 30] = -1000, 900  # some of it is outside of the window
    mirrored = np.array([[-2.0, 0, 0, 50], [0, -1.0, 0, 30], [0, 0, 3.0, 0], [0, 0, 0, 1]])
    job = run(doctor, gzip.compress(nifti(values, mirrored)), "block.nii.gz", "ct-tissue")
    drawn = pixels_of(file_of(doctor, job, "overlay.png"))
    blue = np.abs(drawn.astype(int) - (233, 180, 86)).max(axis=2) < 4  # the border of structure 1, in full
    assert drawn.shape[2] == 3 and drawn.shape[1] > 1000
    scale = 512 / 100  # the longest side is 100 mm
    axial, coronal = (slice(0, 512), slice(520, 1032))
    height = drawn.shape[0]
    for view, size_mm, top_mm in ((axial, 60, 6), (coronal, 60, (20 - 18) * 3)):
        rows, columns = np.nonzero(blue[:, view])
        top = (height - size_mm * scale) / 2
        assert columns.min() == pytest.approx(60 * scale, abs=3) and columns.max() == pytest.approx(88 * scale, abs=3)
        assert rows.min() - top == pytest.approx(top_mm * scale, abs=3)
    (dense, _) = job["result"]["measurements"]
    assert dense["extent_mm"] == [28.0, 14.0, 12.0]  # right to left, front to back, foot to head
    table = list(csv.DictReader(io.StringIO(file_of(doctor, job, "measurements.csv").decode())))
    assert [table[0][name] for name in ("width_mm", "depth_mm", "height_mm")] == ["28.0", "14.0", "12.0"]
    told = json.loads(file_of(doctor, job, "statistics.json"))["structures"]
    assert told[0]["extent_mm"] == dense["extent_mm"]
    np.testing.assert_array_equal(pixels_of(file_of(doctor, job, "overlay.png")), drawn)  # the one that was kept


def test_an_archive_of_a_volume_holds_a_picture_and_every_file(doctor: Caller, worker: Worker) -> None:
    job = run(doctor, CT, "abdomen.nii.gz", "ct-tissue")
    archive = zipfile.ZipFile(io.BytesIO(doctor.get(f"/v1/jobs/{job['id']}/archive").data))
    assert archive.testzip() is None
    names = {"image.png", "result.json"} | {item["name"] for item in job["artifacts"]}
    surfaces = {name for name in names if name.startswith("surfaces/")}
    assert names - surfaces == set(archive.namelist())  # those are made when somebody wants them
    assert pixels_of(archive.read("image.png")).max() > 0
    assert surfaces == {"surfaces/dense.stl", "surfaces/fat.stl"}
    whole = zipfile.ZipFile(io.BytesIO(doctor.get(f"/v1/jobs/{job['id']}/archive?surfaces=true").data))
    assert set(whole.namelist()) == names
    assert whole.read("surfaces/fat.stl") == file_of(doctor, job, "surfaces/fat.stl")
    assert (len(whole.read("surfaces/fat.stl")) - 84) % 50 == 0


def test_studies_of_one_file_name_keep_their_own_masks(doctor: Caller, worker: Worker) -> None:
    """Case file names: a system that filed results by them gave one patient another's."""
    studies = [film(seed, 64, 96) for seed in (1, 2)]
    jobs = [run(doctor, study, "../../segmentations/case.png", "lung-field") for study in studies]
    for study, job in zip(studies, jobs, strict=True):
        np.testing.assert_array_equal(pixels_of(file_of(doctor, job, "mask.png")), outlined_picture(study))
    sent = doctor.post("/v1/archive", json={"job_ids": [job["id"] for job in jobs]})
    archive = zipfile.ZipFile(io.BytesIO(sent.data))
    lines = list(csv.DictReader(io.StringIO(archive.read("measurements.csv").decode())))
    assert [(line["job_id"], line["structure"]) for line in lines] == [
        (job["id"], label) for job in jobs for label in ("right_lung", "left_lung")
    ]
    assert [int(line["pixels"]) for line in lines[2:]] == [
        int((outlined_picture(studies[1]) == index).sum()) for index in (1, 2)
    ]
    assert lines[0]["area_mm2"] == "" and lines[0]["voxels"] == ""


def resized(said: dict[str, Any], mask: bytes) -> tuple[dict[str, Any], bytes]:
    return said, bytes(cv2.imencode(".png", pixels_of(mask).T)[1])


def of_another_study(said: dict[str, Any], mask: bytes) -> tuple[dict[str, Any], bytes]:
    return said, bytes(cv2.imencode(".png", outlined_picture(film(99, 96, 128)))[1])


def with_a_value_too_many(said: dict[str, Any], mask: bytes) -> tuple[dict[str, Any], bytes]:
    pixels = pixels_of(mask)
    pixels[np.argwhere(pixels == 0)[0][0], np.argwhere(pixels == 0)[0][1]] = 3
    return said, bytes(cv2.imencode(".png", pixels)[1])


def without_a_mask(said: dict[str, Any], mask: bytes) -> tuple[dict[str, Any], bytes]:
    return said, b""


def in_colour(said: dict[str, Any], mask: bytes) -> tuple[dict[str, Any], bytes]:
    return said, bytes(cv2.imencode(".png", np.dstack([pixels_of(mask)] * 3))[1])


def unmeasured(said: dict[str, Any], mask: bytes) -> tuple[dict[str, Any], bytes]:
    return segmented([]), mask


def numbered_from_two(said: dict[str, Any], mask: bytes) -> tuple[dict[str, Any], bytes]:
    return segmented([each | {"index": each["index"] + 1} for each in said["measurements"]]), mask


@pytest.mark.parametrize(
    "spoil",
    [resized, of_another_study, with_a_value_too_many, without_a_mask, in_colour, unmeasured, numbered_from_two],
)
def test_a_wrong_mask_of_an_image_is_a_failed_run(doctor: Caller, worker: Worker, ml: FakeMl, spoil: Spoil) -> None:
    ml.spoil = spoil
    job = run(doctor, film(0, 96, 128), "film.png", "lung-field")
    assert (job["state"], job["result"], job["artifacts"]) == ("failed", None, [])
    assert job["error"]["code"] == "failed_repeatedly"


def mirrored(said: dict[str, Any], mask: bytes) -> tuple[dict[str, Any], bytes]:
    """The same values in a place that is the other way round: right and left swapped."""
    volume = volume_of(mask)
    swapped = volume.affine @ np.diag([-1.0, 1, 1, 1])
    return said, gzip.compress(nib.Nifti1Image(np.asarray(volume.dataobj), swapped).to_bytes())


def a_slice_short(said: dict[str, Any], mask: bytes) -> tuple[dict[str, Any], bytes]:
    volume = volume_of(mask)
    return said, gzip.compress(nib.Nifti1Image(np.asarray(volume.dataobj)[:, :, 1:], volume.affine).to_bytes())


def cut_off(said: dict[str, Any], mask: bytes) -> tuple[dict[str, Any], bytes]:
    return said, mask[:-50]


def in_floats(said: dict[str, Any], mask: bytes) -> tuple[dict[str, Any], bytes]:
    volume = volume_of(mask)
    return said, gzip.compress(nib.Nifti1Image(volume.get_fdata(dtype=np.float32), volume.affine).to_bytes())


@pytest.mark.parametrize("spoil", [mirrored, a_slice_short, cut_off, in_floats, without_a_mask])
def test_a_wrong_mask_of_a_volume_is_a_failed_run(doctor: Caller, worker: Worker, ml: FakeMl, spoil: Spoil) -> None:
    ml.spoil = spoil
    job = run(doctor, CT, "abdomen.nii.gz", "ct-tissue")
    assert (job["state"], job["result"], job["artifacts"]) == ("failed", None, [])


@pytest.mark.parametrize(("data", "name", "model"), [(film(), "a.png", "lung-field"), (CT, "a.nii.gz", "ct-tissue")])
def test_a_study_that_the_model_does_not_know_has_no_mask(
    doctor: Caller, worker: Worker, ml: FakeMl, data: bytes, name: str, model: str
) -> None:
    warning = {"code": "not_a_chest_film", "detail": "This is no chest film."}
    refused = {"label": "not_answered", "in_distribution": False, "warnings": [warning]}
    ml.spoil = lambda said, mask: (segmented([]) | refused, b"")
    job = run(doctor, data, name, model)
    assert (job["state"], job["result"]["label"], job["artifacts"]) == ("succeeded", "not_answered", [])
    archive = zipfile.ZipFile(io.BytesIO(doctor.get(f"/v1/jobs/{job['id']}/archive").data))
    assert set(archive.namelist()) == {"image.png", "result.json"}


def test_the_spacing_of_an_image_travels_with_it(doctor: Caller, worker: Worker, ml: FakeMl) -> None:
    pixels = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48)
    radiograph = made(pixels, BitsStored=12, HighBit=11, PixelSpacing=[0.2, 0.1])
    job = run(doctor, radiograph, "film.dcm", "lung-field")
    assert job["state"] == "succeeded", job["error"]
    assert ml.spacings == [[0.2, 0.1]]
    (right, _) = job["result"]["measurements"]
    assert right["area_mm2"] == pytest.approx(right["pixels"] * 0.02) and right["pixels"] > 0
    there = np.argwhere(pixels_of(file_of(doctor, job, "mask.png")) == 1)
    rows, columns = np.ptp(there, axis=0) + 1
    assert right["extent_mm"] == pytest.approx([columns * 0.1, rows * 0.2], abs=0.06)  # width, height


def test_a_model_that_outlines_runs_when_it_is_asked_for(doctor: Caller) -> None:
    assert [job["model"] for job in doctor.upload((film(), "film.png")).json["jobs"]] == ["pneumonia"]  # type: ignore[index]


def test_a_volume_of_ct_is_measured_unasked_and_one_of_mr_is_not(doctor: Caller) -> None:
    ct = slices(AFFINES["plain"], VALUES)
    mr = {name: data.replace(b"CS\x02\0CT", b"CS\x02\0MR") for name, data in ct.items()}
    for files, modality, models in ((ct, "CT", ["ct-tissue"]), (mr, "MR", [])):
        answer = doctor.upload(*((data, name) for name, data in files.items()))
        assert answer.json and [study["modality"] for study in answer.json["studies"]] == [modality]
        assert [job["model"] for job in answer.json["jobs"]] == models
