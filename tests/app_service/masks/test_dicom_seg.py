"""A CT series in, a DICOM Segmentation out: in its place, of its patient, readable by others."""

import io
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest
from dramatiq import Worker
from pydicom.uid import generate_uid

from tests.app_service.conftest import Caller, wait_until
from tests.app_service.fake_ml import FakeMl
from tests.app_service.fake_prompted import FakePrompted
from tests.app_service.intake.dicom_maker import CANARY, CT, enhanced, made
from tests.app_service.intake.test_volume import AFFINES, VALUES
from tests.app_service.masks.test_masks import CT as NIFTI
from tests.app_service.masks.test_masks import file_of, quick, run, volume_of
from tests.app_service.masks.test_prompted import outlined

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
__all__ = ["quick"]  # the fixture of test_masks
TURN = 0.3  # radians about the head's axis
UPRIGHT = [1, 0, 0, 0, 0, -1]  # coronal
ROW, COLUMN = (np.cos(TURN), np.sin(TURN), 0.0), (-np.sin(TURN), np.cos(TURN), 0.0)


def series(count: int = 9, along: int = 2, lean_mm: float = 0.0, **elements: Any) -> dict[str, bytes]:
    """Slices of 40 x 56 in the wrong order, turned, not square, and with pixels that are not square either. They lie
    one behind the other along an axis of the patient (0, 1 or 2), each by `lean_mm` further along its columns."""
    rng = np.random.default_rng(5)
    same = {name: generate_uid() for name in ("SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")}
    same |= {"Modality": "CT", "SOPClassUID": CT, "PixelSpacing": [0.8, 0.7], "RescaleSlope": 1, "RescaleIntercept": 0}
    same |= {"ImageOrientationPatient": [*ROW, *COLUMN], "PatientSex": "F", "StudyDate": "20260102"} | elements
    values = rng.integers(-300, 300, (count, 40, 56)).astype(np.int16)
    places = np.array([10, -20, 5]) - 2.5 * np.arange(count)[:, None] * np.eye(3)[along]
    places = places + lean_mm * np.arange(count)[:, None] * np.array(COLUMN)
    own = [{"ImagePositionPatient": list(place), "InstanceNumber": n + 1} for n, place in enumerate(places)]
    return {f"{n}.dcm": made(values[n], **same, **own[n]) for n in range(count)}


def archive(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        for name, content in files.items():
            target.writestr(name, content)
    return packed.getvalue()


def test_the_segmentation_lies_where_the_label_map_does(doctor: Caller, worker: Worker) -> None:
    """Overlay equal voxel for voxel: by where each lies in the patient, whatever the order of axes."""
    files = series()
    job = run(doctor, archive(files), "ct.zip", "ct-tissue")
    assert job["state"] == "succeeded", job["error"]
    made_of = _in_the_same_place(doctor, job)
    assert [segment.SegmentLabel for segment in made_of.SegmentSequence] == ["dense", "fat"]
    assert str(made_of.PatientName) == CANARY and made_of.PatientSex == "F"  # it goes into its patient's record
    referenced = {
        item.ReferencedSOPInstanceUID for item in made_of.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    }
    assert len(referenced) == len(files)


@pytest.mark.parametrize("affine", ["plain", "oblique"])
def test_a_file_of_many_frames_has_one_too(doctor: Caller, worker: Worker, affine: str) -> None:
    """Its frames are shuffled: the first one is not where the mask begins."""
    order = [int(number) for number in np.random.default_rng(3).permutation(len(VALUES))]
    more = {"StudyInstanceUID": generate_uid(), "FrameOfReferenceUID": generate_uid(), "InstanceNumber": 1}
    file = enhanced(VALUES, AFFINES[affine], order, **more)
    job = run(doctor, file, "enhanced.dcm", "ct-tissue")
    assert job["state"] == "succeeded" and job["result"]["warnings"] == [], job["error"]
    made_of = _in_the_same_place(doctor, job)
    assert str(made_of.PatientName) == CANARY
    (referenced,) = made_of.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    assert referenced.ReferencedSOPInstanceUID == pydicom.dcmread(io.BytesIO(file)).SOPInstanceUID


@pytest.mark.parametrize("earlier_ones", ["the same", "others"])
def test_each_instance_that_came_twice_is_referred_to_once(doctor: Caller, worker: Worker, earlier_ones: str) -> None:
    """Trap: a segmentation with an instance twice is written and cannot be read. Of each the last is taken, as for the
    volume: earlier ones that all lie in one place, in another frame of reference, would make none."""
    files = series()
    earlier = {f"earlier-{name}": _moved(each) if earlier_ones == "others" else each for name, each in files.items()}
    job = run(doctor, archive(earlier | files), "twice.zip", "ct-tissue")
    assert job["state"] == "succeeded" and job["result"]["warnings"] == [], job["error"]
    study = doctor.get(f"/v1/studies/{job['study_id']}").json
    assert study and [notice["code"] for notice in study["warnings"]] == ["duplicates_dropped"]
    made_of = _in_the_same_place(doctor, job)
    referenced = [
        item.ReferencedSOPInstanceUID for item in made_of.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    ]
    assert len(referenced) == len(set(referenced)) == len(files)


def _moved(file: bytes) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(file))
    dataset.ImagePositionPatient, dataset.FrameOfReferenceUID = [0, 0, 0], generate_uid()
    changed = io.BytesIO()
    dataset.save_as(changed)
    return changed.getvalue()


@pytest.mark.parametrize(("notice", "lean_mm", "lost"), [("tilt_corrected", 1.3, []), ("slices_interpolated", 0, [4])])
def test_a_volume_of_other_slices_than_came_has_one_too(
    doctor: Caller, worker: Worker, notice: str, lean_mm: float, lost: list[int]
) -> None:
    """Shifted upright or with a slice put in between: the mask's slices are those of no file."""
    files = {name: each for name, each in series(lean_mm=lean_mm).items() if name not in [f"{n}.dcm" for n in lost]}
    job = run(doctor, archive(files), "ct.zip", "ct-tissue")
    assert job["state"] == "succeeded" and job["result"]["warnings"] == [], job["error"]
    study = doctor.get(f"/v1/studies/{job['study_id']}").json
    assert study and [each["code"] for each in study["warnings"]] == [notice]
    _in_the_same_place(doctor, job)


def _in_the_same_place(doctor: Caller, job: dict[str, Any]) -> Any:
    """The job's segmentation, whose every voxel lies where the label map has it."""
    made_of = highdicom.seg.segread(io.BytesIO(file_of(doctor, job, "seg.dcm")))
    labels = volume_of(file_of(doctor, job, "combined_labels.nii.gz"))
    expected, found = np.asarray(labels.dataobj), made_of.get_volume(combine_segments=True)
    there = np.argwhere(found.array > 0)
    in_patient = found.affine @ np.c_[there, np.ones(len(there))].T  # left, back, head in mm
    to_voxel = np.linalg.inv(np.diag([-1.0, -1.0, 1.0, 1.0]) @ labels.affine)
    voxels = (to_voxel @ in_patient)[:3].T
    np.testing.assert_allclose(voxels, np.rint(voxels), atol=1e-3)
    at = tuple(np.rint(voxels).astype(int).T)
    np.testing.assert_array_equal(expected[at], found.array[tuple(there.T)])
    assert len(there) == np.count_nonzero(expected)
    return made_of


@pytest.mark.parametrize("told", [{}, {"PatientIdentityRemoved": "YES"}], ids=["patient", "nobody"])
def test_another_reader_finds_nothing_wrong_with_it(
    doctor: Caller, worker: Worker, tmp_path: Path, told: dict[str, str]
) -> None:
    """Series that say that they name nobody, and not by what method, are common."""
    if not shutil.which("dciodvfy"):
        pytest.skip("dciodvfy is not installed here (apt install dicom3tools)")
    job = run(doctor, archive(series(StudyTime="101500", StudyID="7", **told)), "ct.zip", "ct-tissue")
    (tmp_path / "seg.dcm").write_bytes(file_of(doctor, job, "seg.dcm"))
    said = subprocess.run(["dciodvfy", tmp_path / "seg.dcm"], capture_output=True, text=True, check=False)
    assert "Error" not in said.stderr and "Segmentation" in said.stderr, said.stderr


def test_of_several_series_the_one_is_taken_that_the_mask_was_made_of(doctor: Caller, worker: Worker) -> None:
    """Trap: the segmentation of another series of the same archive."""
    upright = series(6, along=1, ImageOrientationPatient=UPRIGHT)
    both = series() | {f"upright-{name}": each for name, each in upright.items()}
    answer = doctor.upload((archive(both), "both.zip"), form={"model": "ct-tissue"})
    assert answer.status_code == 201 and answer.json is not None, answer.text
    jobs = [job["id"] for job in answer.json["jobs"]]
    assert len(jobs) == 2
    wait_until(lambda: all(doctor.job(job)["state"] == "succeeded" for job in jobs), within_s=60)
    for job, count in zip(map(doctor.job, jobs), (9, 6), strict=True):
        made_of = pydicom.dcmread(io.BytesIO(file_of(doctor, job, "seg.dcm")))
        assert len(made_of.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == count


def test_a_volume_that_is_no_dicom_has_none(doctor: Caller, worker: Worker) -> None:
    job = run(doctor, NIFTI, "abdomen.nii.gz", "ct-tissue")
    assert job["state"] == "succeeded" and "seg.dcm" not in [item["name"] for item in job["artifacts"]]
    assert job["result"]["warnings"] == []


def test_two_series_in_one_place_each_have_their_own(doctor: Caller, worker: Worker) -> None:
    """Trap: nobody could tell of which the mask is, if both studies came with the files of both."""
    both = [series(6), {f"again-{name}": each for name, each in series(6).items()}]
    answer = doctor.upload((archive(both[0] | both[1]), "twice.zip"), form={"model": "ct-tissue"})
    assert answer.status_code == 201 and answer.json is not None, answer.text
    for job, files in zip((each["id"] for each in answer.json["jobs"]), both, strict=True):
        wait_until(lambda job=job: doctor.job(job)["state"] == "succeeded", within_s=60)  # type: ignore[misc]
        made_of = pydicom.dcmread(io.BytesIO(file_of(doctor, doctor.job(job), "seg.dcm")))
        own = {str(pydicom.dcmread(io.BytesIO(each)).SeriesInstanceUID) for each in files.values()}
        assert {str(item.SeriesInstanceUID) for item in made_of.ReferencedSeriesSequence} == own


def test_an_answer_without_the_segmentation_that_was_to_be_had_says_why(doctor: Caller, worker: Worker) -> None:
    """Without a frame of reference nothing says which series the mask lies in."""
    job = run(doctor, archive(series(6, FrameOfReferenceUID=None)), "ct.zip", "ct-tissue")
    assert job["state"] == "succeeded", job["error"]
    (warning,) = job["result"]["warnings"]
    assert warning["code"] == "seg_not_made" and "no DICOM series" in warning["detail"]
    assert "seg.dcm" not in [item["name"] for item in job["artifacts"]]


def test_labels_with_gaps_are_segments_one_after_the_other(doctor: Caller, worker: Worker, ml: FakeMl) -> None:
    """PS3.3 C.8.20.2: segments are numbered 1, 2, 3 …; what a person drew boxes round may be 3 and 7."""
    ml.prompted = FakePrompted()
    answer = doctor.upload((archive(series()), "ct.zip"), form={"model": "ct-tissue"})
    assert answer.status_code == 201 and answer.json, answer.text
    prompts = [{"box": [2, 2, 1, 20, 30, 4], "label": 7}, {"box": [30, 2, 5, 50, 30, 8], "label": 3}]
    job = outlined(doctor, answer.json["studies"][0]["id"], prompts)
    assert job["state"] == "succeeded" and job["result"]["warnings"] == [], job["error"]
    made_of = highdicom.seg.segread(io.BytesIO(file_of(doctor, job, "seg.dcm")))
    assert [(each.SegmentNumber, each.SegmentLabel) for each in made_of.SegmentSequence] == [
        *((1, "object 3"), (2, "object 7"))
    ]
    assert {each.SegmentAlgorithmType for each in made_of.SegmentSequence} == {"SEMIAUTOMATIC"}  # a person drew boxes
    labels = np.asarray(volume_of(file_of(doctor, job, "combined_labels.nii.gz")).dataobj)
    found = made_of.get_volume(combine_segments=True).array
    assert [np.count_nonzero(found == number) for number in (1, 2)] == [
        np.count_nonzero(labels == label) for label in (3, 7)
    ]
