"""The book of what was accepted, kept outside the portal: when each answer was there, and that none is missing."""

import asyncio
import json
import ssl
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import aiohttp

OVER = ("succeeded", "failed", "cancelled")
LOST = "lost"


@dataclass
class Accepted:
    """A film that was answered 201 at `at` (monotonic seconds); `state` is the last that is known."""

    study: str
    at: float
    state: str = "queued"
    visible_s: float | None = None


class Answers:
    """`accept` what was answered 201, `listen` beside, and ask at the end."""

    def __init__(self, url: str, authority: str, token: str) -> None:
        self._api, self._headers = f"{url}/api/v1", {"Authorization": f"Bearer {token}"}
        self._tls = ssl.create_default_context(cafile=authority)
        self.book: dict[str, Accepted] = {}
        self._early: dict[str, tuple[str, float]] = {}  # the answer was there before the upload's own 201 was read
        self._last = ("", "")

    def accept(self, uploaded: dict[str, Any]) -> None:
        """Takes what the upload was answered."""
        job = uploaded["jobs"][0]
        accepted = self.book[job["id"]] = Accepted(job["study_id"], time.monotonic())
        self._last = (job["study_id"], job["id"])
        if early := self._early.pop(job["id"], None):
            accepted.state, accepted.visible_s = early[0], 0.0

    def newest(self) -> tuple[str, str]:
        """The study and the job that were accepted last."""
        return self._last

    def count(self, since: float = 0.0) -> Counter[str]:
        """How many are in each state, of those that were accepted since."""
        return Counter(each.state for each in self.book.values() if each.at >= since)

    def visible_s(self, since: float, until: float) -> list[float]:
        """From 201 until the answer was there."""
        return [
            each.visible_s for each in self.book.values() if each.visible_s is not None and since <= each.at < until
        ]

    async def listen(self) -> None:
        """Follows the doctor's events until it is cancelled; connects again where they break off."""
        timeout, last = aiohttp.ClientTimeout(total=None, sock_read=60), ""
        async with aiohttp.ClientSession(timeout=timeout, read_bufsize=2**20) as session:
            while True:
                headers = self._headers | ({"Last-Event-ID": last} if last else {})
                try:
                    async with session.get(f"{self._api}/events", headers=headers, ssl=self._tls) as stream:
                        stream.raise_for_status()
                        async for line in stream.content:
                            if line.startswith(b"id:"):
                                last = line[3:].decode().strip()
                            elif line.startswith(b"data:"):
                                self._note(json.loads(line[5:]))
                except (aiohttp.ClientError, TimeoutError, OSError):
                    pass
                await asyncio.sleep(1)

    async def ended(self, within_s: float) -> float | None:
        """Seconds until every job had ended; None where some did not. What no event told is asked for."""
        began = time.monotonic()
        async with aiohttp.ClientSession(headers=self._headers) as session:
            while time.monotonic() - began < within_s:
                waiting = [job for job, each in self.book.items() if each.state not in (*OVER, LOST)]
                if not waiting:
                    return time.monotonic() - began
                await asyncio.sleep(1)
                for job in waiting[:20]:
                    await self._look(session, job)
        return None

    async def _look(self, session: aiohttp.ClientSession, job: str) -> None:
        try:
            async with session.get(f"{self._api}/jobs/{job}", ssl=self._tls) as answer:
                if answer.status == 200:
                    self._note(await answer.json())
                elif answer.status == 404:
                    self.book[job].state = LOST
        except (aiohttp.ClientError, TimeoutError, OSError):
            return

    def _note(self, job: dict[str, Any]) -> None:
        if job["state"] not in OVER:
            return
        accepted = self.book.get(job["id"])
        if accepted is None:
            self._early[job["id"]] = (job["state"], time.monotonic())
        elif accepted.state not in OVER:
            accepted.state, accepted.visible_s = job["state"], time.monotonic() - accepted.at
