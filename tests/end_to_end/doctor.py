"""A doctor at the REST interface: the calls that the tests make, through NGINX, over HTTPS."""

import time
from collections.abc import Collection
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import requests

from launcher.settings import REPOSITORY
from tests.end_to_end.portal import Portal

FILMS = sorted((REPOSITORY / "ui_service" / "static" / "samples").glob("*.jpg"))
ILL, WELL = FILMS[0], FILMS[2]  # what they show is known: the data set's classes
PHOTOGRAPH = Path(str(files("sklearn.datasets.images") / "china.jpg"))  # of a temple; it travels with scikit-learn
OVER = ("succeeded", "failed", "cancelled")


class Doctor:
    """Signed in as `doctor`. Every call raises HTTPError for an answer that is an error."""

    def __init__(self, portal: Portal) -> None:
        self._base, self._http, self._password = f"{portal.url}/api", requests.Session(), portal.doctor_password
        self._http.verify = str(portal.authority)
        self._http.trust_env = False  # or REQUESTS_CA_BUNDLE would count more than `verify`
        self._uploaded: list[str] = []
        self.sign_in()

    def sign_in(self) -> None:
        self._http.headers.pop("Authorization", None)
        answer = self.call("POST", "/v1/sessions", json={"username": "doctor", "password": self._password})
        self.token = str(answer.json()["token"])
        self._http.headers["Authorization"] = f"Bearer {self.token}"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        answer = self._http.request(method, self._base + path, timeout=30, **options)
        answer.raise_for_status()
        return answer

    def upload(
        self, film: bytes, name: str = "film.jpg", model: str | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The study and its one job: of `model`, or of the site's default."""
        answer = self.call("POST", "/v1/studies", files={"file": (name, film)}, data={"model": model or ""}).json()
        assert answer["rejected"] == []
        (study,), (job,) = answer["studies"], answer["jobs"]
        self._uploaded.append(study["id"])
        return study, job

    def clear(self) -> None:
        """Deletes every study that was uploaded here and is still there."""
        for study_id in self._uploaded:
            with suppress(requests.HTTPError):
                self.call("DELETE", f"/v1/studies/{study_id}")

    def job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.call("GET", f"/v1/jobs/{job_id}").json()
        return job

    def wait(self, job_id: str, states: Collection[str] = OVER, within_s: float = 30) -> dict[str, Any]:
        """The job once it is in one of `states`."""
        deadline = time.monotonic() + within_s
        while (job := self.job(job_id))["state"] not in states:
            assert time.monotonic() < deadline, f"the job is still {job['state']} after {within_s} s"
            time.sleep(0.1)
        return job
