"""A volume from upload to what a page shows of it; loose DICOM slices come together; no model is run on it unasked."""

import gzip
import hashlib
import io
import zipfile

import cv2
import nibabel as nib
import numpy as np
import pytest

from tests.app_service.conftest import Caller
from tests.app_service.intake.test_volume import AFFINES, VALUES, nifti, slices

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_volume_is_stored_shown_and_sent(doctor: Caller) -> None:
    answer = doctor.upload((gzip.compress(nifti(VALUES, AFFINES["oblique"])), "knee.nii.gz"))
    assert answer.status_code == 201, answer.text
    assert answer.json is not None and answer.json["jobs"] == []
    (study,) = answer.json["studies"]
    assert (study["kind"], study["shape"], study["suggested_models"]) == ("volume", [34, 40, 12], [])
    picture = cv2.imdecode(np.frombuffer(doctor.get(f"/v1/studies/{study['id']}/image?max_side=96").data, np.uint8), -1)
    assert max(picture.shape) == 96 and picture.max() > picture.min()
    sent = doctor.get(f"/v1/studies/{study['id']}/volume")
    assert sent.content_length == len(sent.data)
    volume = nib.Nifti1Image.from_bytes(gzip.decompress(sent.data))
    np.testing.assert_allclose(volume.affine, AFFINES["oblique"], atol=1e-5)
    np.testing.assert_array_equal(np.asarray(volume.dataobj), VALUES.T)


def test_loose_slices_and_a_picture_in_one_drop(doctor: Caller) -> None:
    files = slices(AFFINES["plain"], VALUES)
    notes = (b"\x93NUMPY no picture", "notes.npy")
    answer = doctor.upload(notes, *((data, name) for name, data in files.items()))
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    (study,) = answer.json["studies"]
    assert (study["kind"], study["modality"], study["filename"]) == ("volume", "CT", "000.dcm and 11 more.zip")
    assert [each["code"] for each in answer.json["rejected"]] == ["type_not_allowed"]
    original = zipfile.ZipFile(io.BytesIO(doctor.get(f"/v1/studies/{study['id']}/original").data))
    assert sorted(original.read(name) for name in original.namelist()) == sorted(files.values())


def test_two_series_in_one_archive_are_two_studies_with_their_own_files(doctor: Caller) -> None:
    other = {
        f"b{name}": data.replace(b"1.2.3\0", b"1.2.4\0") for name, data in slices(AFFINES["plain"], VALUES[:5]).items()
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in (slices(AFFINES["plain"], VALUES) | other | {"read me.txt": b"hello"}).items():
            archive.writestr(f"folder/{name}", data)
    answer = doctor.upload((file.getvalue(), "both.zip"))
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    assert sorted(study["shape"][2] for study in answer.json["studies"]) == [5, 12]
    assert [study["filename"] for study in answer.json["studies"]] == ["both.zip", "both (2).zip"]
    assert [(each["filename"], each["code"]) for each in answer.json["rejected"]] == [("read me.txt", "type_mismatch")]
    first, second = (study["id"] for study in answer.json["studies"])
    assert doctor.request("DELETE", f"/v1/studies/{first}").status_code == 204
    assert doctor.get(f"/v1/studies/{second}/volume").status_code == 200
    kept = doctor.get(f"/v1/studies/{second}/original").data
    with zipfile.ZipFile(io.BytesIO(kept)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            f"folder/{name}": data for name, data in other.items()
        }
    told = next(study for study in answer.json["studies"] if study["id"] == second)
    assert told["size_bytes"] == len(kept) and told["sha256"] == hashlib.sha256(kept).hexdigest()
