"""Doctors at the whole portal: each uploads a film through NGINX and waits until its answer is there."""

import itertools
import json
import threading
from collections.abc import Sequence
from contextlib import suppress

import requests
import urllib3

from benchmarks.servers import PASSWORD, RunningPortal

OVER = {"succeeded", "failed", "cancelled"}
PATIENCE_S = 60.0
AT_ONCE = 16


class Doctors:
    """Several doctors under one account; one stream of live events tells all of them when an answer is there."""

    def __init__(self, portal: RunningPortal, films: Sequence[bytes]) -> None:
        self._api, self._films = f"{portal.url}/api/v1", films
        self._numbers = itertools.count()
        # The bare pool under `requests`: what the client costs is taken from the same processors.
        self._pool = urllib3.PoolManager(maxsize=AT_ONCE, ca_certs=portal.authority, timeout=PATIENCE_S)
        self._over: dict[str, str] = {}
        self._changed = threading.Condition()
        sign_in = {"username": "doctor", "password": PASSWORD}
        answer = requests.post(f"{self._api}/sessions", json=sign_in, verify=portal.authority, timeout=10)
        self._headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        self._stream = requests.get(
            f"{self._api}/events", headers=self._headers, verify=portal.authority, stream=True, timeout=(5, 60)
        )
        self._stream.raise_for_status()
        threading.Thread(target=self._listen, daemon=True).start()

    def read_one(self, client: int = 0) -> None:
        """Uploads the next film and returns once its answer is there. Raises when there is none."""
        film = self._films[next(self._numbers) % len(self._films)]
        answer = self._pool.request(
            "POST", f"{self._api}/studies", fields={"file": ("film.jpg", film)}, headers=self._headers
        )
        if answer.status >= 300:
            raise RuntimeError(f"the upload was answered with {answer.status}")
        job = answer.json()["jobs"][0]["id"]
        with self._changed:
            if not self._changed.wait_for(lambda: job in self._over, PATIENCE_S):
                raise TimeoutError("no answer came")
            if (state := self._over.pop(job)) != "succeeded":
                raise RuntimeError(f"the job {state}")

    def _listen(self) -> None:
        with suppress(requests.RequestException):  # the portal was stopped; who still waits runs out of patience
            for line in self._stream.iter_lines(chunk_size=1024):
                if line.startswith(b"data:"):
                    self._note(json.loads(line[5:]))

    def _note(self, job: dict[str, str]) -> None:
        if job["state"] in OVER:
            with self._changed:
                self._over[job["id"]] = job["state"]
                self._changed.notify_all()
