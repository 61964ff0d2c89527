"""An administrator decides, through NGINX, which version reads along and which answers; a doctor's films follow."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.end_to_end.doctor import FILMS, Doctor
from tests.end_to_end.model_folder import OLDER
from tests.end_to_end.portal import Portal

MODEL = "/v1/models/pneumonia"


class Admin:
    """Signed in as `admin`."""

    def __init__(self, portal: Portal) -> None:
        self._base, self._http = f"{portal.url}/api", requests.Session()
        self._http.verify, self._http.trust_env = str(portal.authority), False
        body = {"username": "admin", "password": portal.admin_password}
        self._http.headers["Authorization"] = f"Bearer {self.call('POST', '/v1/sessions', json=body)['token']}"

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self._http.request(method, self._base + path, timeout=90, **options)
        answer.raise_for_status()
        return dict(answer.json())

    def put(self, version: str, state: str) -> None:
        self.call("PATCH", f"{MODEL}/versions/{version}", json={"state": state})

    def version(self, version: str) -> dict[str, Any]:
        return next(one for one in self.call("GET", MODEL)["versions"] if one["version"] == version)


@pytest.fixture
def admin(portal: Portal) -> Iterator[Admin]:
    """What was active before is active again afterwards."""
    admin = Admin(portal)
    before = admin.call("GET", MODEL)["active_version"]
    yield admin
    admin.put(before, "active")
    admin.put(OLDER, "available")


def test_a_version_reads_along_then_answers_then_makes_way(doctor: Doctor, admin: Admin) -> None:
    active = admin.call("GET", MODEL)["active_version"]
    assert active != OLDER
    admin.put(OLDER, "shadow")
    time.sleep(1)
    study, job = doctor.upload(FILMS[0].read_bytes())
    assert doctor.wait(job["id"])["version"] == active
    wait_until(lambda: admin.version(OLDER)["compared"] == 1)
    assert admin.version(OLDER)["same_label"] is not None
    assert len(doctor.call("GET", "/v1/jobs", params={"study_id": study["id"]}).json()["items"]) == 1

    admin.put(OLDER, "active")
    time.sleep(1)
    _, job = doctor.upload(FILMS[1].read_bytes())
    done = doctor.wait(job["id"])
    assert (done["version"], done["state"]) == (OLDER, "succeeded")

    admin.put(active, "active")
    admin.put(OLDER, "retired")
    with pytest.raises(requests.HTTPError, match="422"):
        doctor.call("POST", f"/v1/studies/{study['id']}/jobs", json={"model": "pneumonia", "version": OLDER})


def test_a_doctor_decides_nothing(doctor: Doctor) -> None:
    with pytest.raises(requests.HTTPError, match="403"):
        doctor.call("PATCH", f"{MODEL}/versions/{OLDER}", json={"state": "active"})


def wait_until(true: Callable[[], bool], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"it did not happen within {within_s} s"
        time.sleep(0.2)
