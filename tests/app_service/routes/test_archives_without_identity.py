"""The canaries of a patient go in by every door; the archive without identity is searched for them byte by byte."""

import gzip
import io
import json
import shutil
import subprocess
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from dramatiq import Worker
from PIL import Image, PngImagePlugin

from tests.app_service.conftest import Caller, film, wait_until
from tests.app_service.fake_ml import FakeMl
from tests.app_service.intake.dicom_maker import made
from tests.app_service.masks.test_dicom_seg import archive as zipped
from tests.app_service.masks.test_dicom_seg import series
from tests.app_service.masks.test_masks import pixels_of, volume_of
from tests.bad_input.case import CANARY_NAME, CANARY_REFERENCE
from tests.bad_input.test_uploads import FORBIDDEN

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TEXTS = {
    "InstitutionName": "Canary Hospital",
    "OtherPatientIDs": "Canary-2",
    "PatientComments": "Canary",
    "ReferringPhysicianName": "Canary^Doctor",
    "AccessionNumber": "Canary-3",
    "StudyID": "Canary-4",
    "StudyDate": "19700101",
    "SeriesDescription": "Canary",
    "DeviceSerialNumber": "Canary-5",
}


def answered(doctor: Caller, data: bytes, ending: str, model: str) -> dict[str, Any]:
    """The finished job of a file with the patient in its name and reference, reviewed in words that name them."""
    form = {"model": model, "patient_reference": CANARY_REFERENCE}
    answer = doctor.upload((data, CANARY_NAME + ending), form=form)
    assert answer.status_code == 201 and answer.json is not None, answer.text
    job = answer.json["jobs"][0]["id"]
    wait_until(lambda: doctor.job(job)["state"] == "succeeded", within_s=60)
    doctor.request("PUT", f"/v1/jobs/{job}/review", json={"verdict": "agree", "comment": "Canary is well"})
    return doctor.job(job)


def files_of(answer: Any) -> dict[str, bytes]:
    """Of an archive that holds no canary, neither as it is nor unpacked."""
    assert answer.status_code == 200, answer.text
    packed = zipfile.ZipFile(io.BytesIO(answer.data))
    files = {name: packed.read(name) for name in packed.namelist()}
    seen = b"\n".join([answer.data, str(answer.headers).encode(), *map(unpacked, files.values()), *files.values()])
    assert [word for word in FORBIDDEN if word.encode() in seen] == []
    return files


def unpacked(data: bytes) -> bytes:
    if data.startswith(b"\x1f\x8b"):
        return gzip.decompress(data)
    if data.startswith(b"\x89PNG"):  # the text of a chunk may be deflated
        chunks = [data[at + 4 :] for at in range(len(data)) if data[at : at + 4] in (b"zTXt", b"iTXt", b"eXIf")]
        assert not chunks
        return Image.open(io.BytesIO(data)).tobytes()
    return zlib.decompress(zlib.compress(data))


def test_a_series_with_its_masks(doctor: Caller, worker: Worker, ml: FakeMl, tmp_path: Path) -> None:
    ml.outlines = True
    job = answered(doctor, zipped(series(**TEXTS)), ".zip", "ct-tissue")
    path = f"/v1/jobs/{job['id']}/archive"
    assert b"Canary" in zipfile.ZipFile(io.BytesIO(doctor.get(path).data)).read("seg.dcm")  # with it they do leave
    files = files_of(doctor.get(f"{path}?identity=removed&surfaces=true"))
    assert {item["name"] for item in job["artifacts"]} | {"image.png", "result.json", "identity.txt"} == set(files)
    own = {job["id"].encode(), job["study_id"].encode()}
    assert not [name for name, data in files.items() if any(each in unpacked(data) for each in own)]
    ids = {json.loads(files[name])["study_id"] for name in ("result.json", "statistics.json")}
    assert len(ids) == 1 and ids.pop().encode() in files["measurements.csv"]
    told = json.loads(files["result.json"])
    assert told["result"]["measurements"] == job["result"]["measurements"]
    assert told["review"] == {"verdict": "agree"} and not [name for name in told if name.endswith("_at")]
    plain = volume_of(doctor.get(f"/v1/jobs/{job['id']}/artifacts/combined_labels.nii.gz").data)
    masks = volume_of(files["combined_labels.nii.gz"])
    np.testing.assert_array_equal(np.asarray(masks.dataobj), np.asarray(plain.dataobj))
    np.testing.assert_array_equal(masks.affine, plain.affine)
    seg = pydicom.dcmread(io.BytesIO(files["seg.dcm"]))
    assert seg.PatientIdentityRemoved == "YES" and [each.SegmentLabel for each in seg.SegmentSequence] == [
        "dense",
        "fat",
    ]
    if shutil.which("dciodvfy"):
        (tmp_path / "seg.dcm").write_bytes(files["seg.dcm"])
        said = subprocess.run(["dciodvfy", tmp_path / "seg.dcm"], capture_output=True, text=True, check=False)
        assert "Error" not in said.stderr, said.stderr


def test_a_film_with_text_beside_its_pixels(doctor: Caller, worker: Worker, ml: FakeMl) -> None:
    ml.heatmap = with_text(film(9, 16, 16))
    job = answered(doctor, with_text(film(3)), ".png", "pneumonia")
    files = files_of(doctor.get(f"/v1/jobs/{job['id']}/archive?identity=removed"))
    assert set(files) == {"image.png", "heatmap.png", "overlay.png", "result.json", "identity.txt"}
    np.testing.assert_array_equal(pixels_of(files["image.png"]), pixels_of(film(3)))
    np.testing.assert_array_equal(pixels_of(files["heatmap.png"]), pixels_of(ml.heatmap))


def with_text(png: bytes) -> bytes:
    text, file = PngImagePlugin.PngInfo(), io.BytesIO()
    text.add_text("Patient", "Canary^Marigold")
    text.add_text("Comment", "Canary " * 50, zip=True)
    Image.open(io.BytesIO(png)).save(file, "PNG", pnginfo=text)
    return file.getvalue()


def test_many_have_one_name_each_in_every_archive(doctor: Caller, worker: Worker, ml: FakeMl) -> None:
    ml.heatmap = film(9, 16, 16)
    jobs = [answered(doctor, film(seed), ".png", "pneumonia")["id"] for seed in (1, 2)]
    answer = doctor.post("/v1/archive?identity=removed", json={"job_ids": jobs})
    folders = {name.split("/")[0] for name in files_of(answer)}
    assert len(folders) == 2 and not folders & set(jobs)
    single = doctor.get(f"/v1/jobs/{jobs[0]}/archive?identity=removed")
    name = single.headers["Content-Disposition"].removeprefix("attachment; filename=lightbox-").removesuffix(".zip")
    assert name in folders and doctor.post("/v1/archive?identity=some", json={"job_ids": jobs}).status_code == 422


def test_it_stands_in_the_audit(doctor: Caller, admin: Caller, worker: Worker, ml: FakeMl) -> None:
    ml.heatmap = film(9, 16, 16)
    job = answered(doctor, film(4), ".png", "pneumonia")["id"]
    for query in ("", "?identity=removed"):
        assert doctor.get(f"/v1/jobs/{job}/archive{query}").status_code == 200
    acts = admin.get("/v1/audit?action=download").json["items"]  # type: ignore[index]
    assert [(act["outcome"], act["object_id"]) for act in acts] == [("identity_removed", job), ("done", job)]


@pytest.mark.parametrize("volume", [False, True], ids=["picture", "series"])
def test_text_that_is_burned_in_stays_here(doctor: Caller, worker: Worker, ml: FakeMl, volume: bool) -> None:
    ml.outlines, ml.heatmap = True, film(9, 16, 16)
    pixels = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48)
    data = zipped(series(BurnedInAnnotation="YES")) if volume else made(pixels, BurnedInAnnotation="YES")
    job = answered(doctor, data, ".dcm", "ct-tissue" if volume else "pneumonia")["id"]
    answer = doctor.get(f"/v1/jobs/{job}/archive?identity=removed")
    assert (answer.status_code, answer.json["code"]) == (409, "burned_in")  # type: ignore[index]
    assert doctor.get(f"/v1/jobs/{job}/archive").status_code == 200
