"""A large file that went past the portal: each call of completing it is broken once, and completing it again helps.

In this process, since a bucket's client does not outlive a fork: calls are refused or not heard of, and nobody dies.
"""

import pytest
from apiflask import APIFlask

from app_service.parts import Parts
from app_service.storage.s3_store import S3Objects
from tests.app_service.conftest import Caller
from tests.app_service.test_direct import FILM, begin, complete, s3_endpoint, s3_url, send, settings
from tests.chaos.steps import Ending, Steps, counted
from tests.chaos.ward import CLEAN

__all__ = ["s3_endpoint", "s3_url", "settings"]
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ENOUGH = 200


@pytest.mark.parametrize("ending", [Ending.REFUSED, Ending.UNHEARD])
def test_complete(app: APIFlask, doctor: Caller, parts: Parts, ending: Ending) -> None:
    engine = app.extensions["lightbox"].engine
    for at in range(1, ENOUGH):
        send(permit := begin(doctor))
        steps = Steps(at, ending)
        with counted(steps, engine, S3Objects):
            answer = complete(doctor, permit)
        assert answer.status_code in (201, *CLEAN), answer.text
        if answer.status_code != 201:
            answer = complete(doctor, permit)
        assert answer.status_code == 201, answer.text
        (study,) = (doctor.get("/v1/studies").json or {})["items"]
        assert [study["id"]] == [each["id"] for each in answer.json["studies"]]
        assert doctor.get(f"/v1/studies/{study['id']}/original").data == FILM
        assert len((doctor.get("/v1/jobs").json or {})["items"]) == 1
        assert doctor.request("DELETE", f"/v1/studies/{study['id']}").status_code == 204
        if steps.seen < at:
            break
    assert 5 < at < ENOUGH
