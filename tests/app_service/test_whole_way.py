"""From a film to an answer, through every part of the tier."""

from dramatiq import Worker

from tests.app_service.conftest import Caller, film, wait_until
from tests.app_service.fake_ml import FakeMl


def test_an_uploaded_film_becomes_a_stored_answer(doctor: Caller, worker: Worker, ml: FakeMl) -> None:
    job = doctor.upload_one()
    assert job["state"] == "queued" and job["result"] is None
    wait_until(lambda: doctor.job(job["id"])["state"] == "succeeded")
    done = doctor.job(job["id"])
    assert done["result"]["label"] == "pneumonia"
    assert done["result"]["findings"][0]["probability"] == 0.9
    assert done["result"]["timings_s"]["total"] >= done["result"]["timings_s"]["queue"] >= 0
    assert [item["name"] for item in done["artifacts"]] == ["heatmap.png", "overlay.png"]
    heat = doctor.get(done["artifacts"][0]["url"])
    assert heat.status_code == 200 and heat.data == ml.heatmap
    assert ml.asked == 1


def test_the_original_comes_back_as_it_was(doctor: Caller) -> None:
    answer = doctor.upload((film(), "Åse's film.png"))
    study = answer.json["studies"][0]  # type: ignore[index]
    original = doctor.get(f"/v1/studies/{study['id']}/original")
    assert original.data == film()
    assert "filename*=UTF-8''%C3%85se" in original.headers["Content-Disposition"]
    assert original.headers["Content-Disposition"].startswith("attachment")
