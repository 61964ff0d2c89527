"""A doctor's program that does not give up: it signs in again, and sends again what an outage swallowed."""

import threading
import time
from collections.abc import Callable
from typing import Any

import requests

from tests.end_to_end.portal import Portal

PATIENCE_S = 150.0
OVER = ("succeeded", "failed", "cancelled")
_PAUSE_S = 0.2
_TOKENS: dict[str, str] = {}  # by portal: one doctor has one session, whatever the number of programs
_LOCK = threading.Lock()
_AGAIN = (401, 409, 425, 429, 500, 502, 503, 504, 507)


class Client:
    """`tell` hears every status that was no success."""

    def __init__(self, portal: Portal, tell: Callable[[int], None] = lambda status: None) -> None:
        self._base, self._password = f"{portal.url}/api", portal.doctor_password
        self._http = requests.Session()
        self._http.verify, self._http.trust_env = str(portal.authority), False
        self._tell = tell

    @property
    def authorization(self) -> str:
        """The header of whoever has signed in."""
        return f"Bearer {_TOKENS.get(self._base, '')}"

    def get(self, path: str) -> requests.Response:
        return self.send("GET", path)

    def job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.get(f"/v1/jobs/{job_id}").json()
        return job

    def ended(self, job_id: str, within_s: float) -> dict[str, Any]:
        """The job when it is over, or as it is when it should have been."""
        deadline = time.monotonic() + within_s
        while (job := self.job(job_id))["state"] not in OVER and time.monotonic() < deadline:
            time.sleep(0.1)
        return job

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """The first answer that is none of an outage. Raises TimeoutError after PATIENCE_S."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            token = _TOKENS.get(self._base, "")
            answer = self._try(method, path, token, **options)
            if answer is not None and answer.status_code not in _AGAIN:
                answer.raise_for_status()
                return answer
            if time.monotonic() > deadline:
                raise TimeoutError(f"{method} had no answer in {PATIENCE_S:.0f} s")
            if answer is not None and answer.status_code == 401:
                self._sign_in(token)
            time.sleep(_PAUSE_S)

    def _try(self, method: str, path: str, token: str, **options: Any) -> requests.Response | None:
        headers = options.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            answer = self._http.request(method, self._base + path, timeout=20, headers=headers, **options)
        except (requests.RequestException, OSError):
            return None
        if not answer.ok and answer.status_code not in (401, 404):
            self._tell(answer.status_code)
        return answer

    def _sign_in(self, stale: str) -> None:
        """Unless another program of the doctor's has done so since."""
        with _LOCK:
            if _TOKENS.get(self._base, "") != stale:
                return
            said = {"username": "doctor", "password": self._password}
            answer = self._try("POST", "/v1/sessions", "", json=said)
            if answer is not None and answer.ok:
                _TOKENS[self._base] = str(answer.json()["token"])
