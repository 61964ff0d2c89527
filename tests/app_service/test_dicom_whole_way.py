"""A DICOM radiograph from upload to archive; the patient in its header goes no further than the original."""

import io
import zipfile

import cv2
import numpy as np
import pytest
from dramatiq import Worker

from tests.app_service.conftest import Caller, film, wait_until
from tests.app_service.fake_ml import FakeMl
from tests.app_service.intake.dicom_maker import made

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
RADIOGRAPH = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48)


def test_a_radiograph_becomes_a_stored_answer(
    doctor: Caller, worker: Worker, ml: FakeMl, capfd: pytest.CaptureFixture[str]
) -> None:
    ml.heatmap = film(9, 16, 16)
    answer = doctor.upload((made(RADIOGRAPH, BitsStored=12, HighBit=11, PixelSpacing=[0.2, 0.1]), "scan"))
    assert answer.status_code == 201, answer.text
    (study,), (job,) = answer.json["studies"], answer.json["jobs"]  # type: ignore[index]
    assert (study["kind"], study["modality"], study["shape"]) == ("image", "DX", [64, 48])
    assert study["spacing_mm"] == [0.2, 0.1]
    wait_until(lambda: doctor.job(job["id"])["state"] == "succeeded")

    image = cv2.imdecode(np.frombuffer(doctor.get(f"/v1/studies/{study['id']}/image").data, np.uint8), -1)
    assert image.shape == (64, 48) and image[0, 0] == 0 and image[-1, -1] == 255
    sent = [doctor.get(f"/v1/studies/{study['id']}").data, doctor.get(f"/v1/jobs/{job['id']}").data]
    archive = zipfile.ZipFile(io.BytesIO(doctor.get(f"/v1/jobs/{job['id']}/archive").data))
    sent += [archive.read(name) for name in archive.namelist()]
    assert {"image.png", "result.json"} <= set(archive.namelist())
    assert not any(b"Canary" in part or b"Marigold" in part or b"19700101" in part for part in sent)
    assert "Canary" not in "".join(capfd.readouterr())


def test_a_refused_file_names_its_reason_and_not_its_patient(doctor: Caller) -> None:
    answer = doctor.upload((made(RADIOGRAPH, SOPClassUID="1.2.840.10008.5.1.4.1.1.104.1"), "letter.dcm"))
    assert (answer.status_code, answer.json["code"]) == (422, "sop_not_allowed")  # type: ignore[index]
    assert "Encapsulated PDF" in answer.text and "Canary" not in answer.text
