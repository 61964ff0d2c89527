"""The main job over REST: a film goes in, an answer with its pictures comes out, a review stays, all of it can go."""

import io
import zipfile

import pytest
import requests

from tests.end_to_end.doctor import ILL, PHOTOGRAPH, WELL, Doctor


def walk(doctor: Doctor) -> None:
    """One film from upload to deletion."""
    study, job = doctor.upload(ILL.read_bytes())
    done = doctor.wait(job["id"])
    assert done["state"] == "succeeded", done["error"]
    (finding,) = done["result"]["findings"]
    assert (done["result"]["label"], finding["label"], finding["positive"]) == ("pneumonia", "pneumonia", True)

    archive = zipfile.ZipFile(io.BytesIO(doctor.call("GET", f"/v1/jobs/{job['id']}/archive").content))
    assert archive.testzip() is None
    names = {name.rpartition("/")[2] for name in archive.namelist()}
    assert {"result.json", "heatmap.png", "overlay.png"} <= names

    doctor.call("PUT", f"/v1/jobs/{job['id']}/review", json={"verdict": "agree", "comment": "clear"})
    assert doctor.job(job["id"])["review"]["verdict"] == "agree"

    doctor.call("DELETE", f"/v1/studies/{study['id']}")
    for path in (f"/v1/studies/{study['id']}", f"/v1/jobs/{job['id']}"):
        with pytest.raises(requests.HTTPError, match="404"):
            doctor.call("GET", path)


def test_a_film_from_upload_to_deletion(doctor: Doctor) -> None:
    walk(doctor)


def test_a_healthy_film_is_normal_and_a_photograph_is_not_answered(doctor: Doctor) -> None:
    _, job = doctor.upload(WELL.read_bytes())
    result = doctor.wait(job["id"])["result"]
    assert result["label"] == "normal" and not result["findings"][0]["positive"]
    _, job = doctor.upload(PHOTOGRAPH.read_bytes())
    result = doctor.wait(job["id"])["result"]
    assert (result["label"], result["findings"], result["in_distribution"]) == ("not_answered", [], False)
    assert result["warnings"]


def test_the_contract_can_be_read(doctor: Doctor) -> None:
    assert doctor.call("GET", "/v1/openapi.json").json()["openapi"].startswith("3.1")


def test_events_tell_every_state(doctor: Doctor) -> None:
    with doctor.call("GET", "/v1/events", stream=True) as events:
        _, job = doctor.upload(WELL.read_bytes())
        lines = events.iter_lines(decode_unicode=True)
        assert next(line for line in lines if line.startswith("data:") and job["id"] in line and "succeeded" in line)
