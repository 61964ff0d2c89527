"""What leaves beside a corrected mask: told apart from the model's own, in its place, of the right structures."""

import csv
import gzip
import io
import json
import zipfile
from typing import Any

import highdicom
import nibabel as nib
import numpy as np
import pytest
from dramatiq import Worker

from tests.app_service.conftest import Caller
from tests.app_service.fake_ml import FakeMl
from tests.app_service.fake_prompted import FakePrompted
from tests.app_service.masks.test_dicom_seg import archive, series
from tests.app_service.masks.test_prompted import file_of, outlined, pixels_of, png, study_of, two_discs
from tests.app_service.routes.test_corrections import asked_for, corrected

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
BESIDE = {"statistics_corrected.json", "measurements_corrected.csv", "overlay_corrected.png"}


@pytest.fixture(autouse=True)
def served(ml: FakeMl) -> None:
    ml.outlines, ml.prompted = True, FakePrompted()


def names(job: dict[str, Any]) -> set[str]:
    return {item["name"] for item in job["artifacts"] if "_corrected." in item["name"]}


def test_a_corrected_series_has_a_segmentation_of_its_own(doctor: Caller, worker: Worker) -> None:
    """Traps: label order, left and right, slices that are not square. One structure is the model's, one a person's,
    and the series is turned about the head's axis."""
    study = study_of(doctor, archive(series(StudyTime="101500", StudyID="7")), "ct.zip")
    model = asked_for(doctor, study, "ct-tissue")
    boxes = outlined(doctor, study, [{"box": [3, 2, 1, 12, 30, 4], "label": 2}])  # low x alone: a mirror shows
    job = corrected(doctor, model, boxes)
    assert names(job) == {"mask_corrected.nii.gz", "seg_corrected.dcm", *BESIDE}
    own, data = file_of(doctor, job, "seg.dcm"), file_of(doctor, job, "seg_corrected.dcm")
    assert file_of(doctor, job, "seg_corrected.dcm") == data  # made once: its UID stays
    before, made = (highdicom.seg.segread(io.BytesIO(each)) for each in (own, data))
    assert made.SOPInstanceUID != before.SOPInstanceUID and made.StudyInstanceUID == before.StudyInstanceUID
    said = [(each.SegmentNumber, each.SegmentLabel, each.SegmentAlgorithmType) for each in made.SegmentSequence]
    assert said == [(1, "dense", "AUTOMATIC"), (2, "fat", "SEMIAUTOMATIC")]
    by = [each.SegmentationAlgorithmIdentificationSequence[0] for each in made.SegmentSequence]
    assert [each.AlgorithmName for each in by] == ["ct-tissue", "box-prompt"]
    assert [each.AlgorithmFamilyCodeSequence[0].CodeValue for each in by] == ["123104", "123110"]
    assert {each.SegmentAlgorithmType for each in before.SegmentSequence} == {"AUTOMATIC"}

    mask = nib.Nifti1Image.from_bytes(gzip.decompress(file_of(doctor, job, "mask_corrected.nii.gz")))
    expected, found = np.asarray(mask.dataobj), made.get_volume(combine_segments=True)
    assert expected.shape == (56, 40, 9)
    fat = np.argwhere(expected == 2)
    assert len(fat) and (fat[:, 0] >= 3).all() and (fat[:, 0] <= 12).all()
    to_patient = np.diag([-1.0, -1.0, 1.0, 1.0]) @ mask.affine
    places = [
        to_patient @ np.c_[np.argwhere(expected == label), np.ones((expected == label).sum())].T for label in (1, 2)
    ]
    for label, place in zip((1, 2), places, strict=True):
        there = np.rint(np.linalg.inv(found.affine) @ place)[:3].astype(int)
        assert (found.array[tuple(there)] == label).all()
        assert there.shape[1] == np.count_nonzero(found.array == label)


def test_a_corrected_film_is_drawn_and_measured_anew_and_leaves_with_the_archive(
    doctor: Caller, worker: Worker
) -> None:
    study = study_of(doctor, png(two_discs()))
    model = asked_for(doctor, study, "lung-field")
    boxes = outlined(doctor, study, [{"box": [10, 5, 40, 25], "label": 1}])
    job = corrected(doctor, model, boxes)
    assert names(job) == {"mask_corrected.png", *BESIDE}
    mask = pixels_of(file_of(doctor, job, "mask_corrected.png"))
    drawn, own = (pixels_of(file_of(doctor, job, f"overlay{end}.png")) for end in ("_corrected", ""))
    coloured = np.ptp(drawn.astype(int), axis=2) > 0
    assert drawn.shape == (*mask.shape, 3) and coloured[mask > 0].all()
    assert (drawn != own).any(axis=2)[mask != pixels_of(file_of(doctor, job, "mask.png"))].all()
    told = json.loads(file_of(doctor, job, "statistics_corrected.json"))
    counts = {each["index"]: each["pixels"] for each in told["structures"]}
    assert counts == {index: int((mask == index).sum()) for index in (1, 2)}
    assert told["labels"] == {"0": "background", "1": "right_lung", "2": "left_lung"}
    assert [told["sources"][index]["model"] for index in ("1", "2")] == ["box-prompt", "lung-field"]
    table = list(csv.DictReader(io.StringIO(file_of(doctor, job, "measurements_corrected.csv").decode())))
    assert {int(row["index"]): int(row["pixels"]) for row in table} == counts

    for query in ("", "?identity=removed"):
        answer = doctor.get(f"/v1/jobs/{job['id']}/archive{query}")
        packed = zipfile.ZipFile(io.BytesIO(answer.data))
        assert names(job) <= set(packed.namelist())
        contents = b"".join(packed.read(name) for name in packed.namelist())
        assert (job["id"].encode() in contents) == (not query)
    undone = doctor.request("DELETE", f"/v1/jobs/{job['id']}/correction")
    assert undone.json and not names(dict(undone.json))
    path = f"/v1/jobs/{job['id']}/artifacts/overlay_corrected.png"
    assert doctor.get(path).status_code == 404
