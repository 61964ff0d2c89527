"""One doctor's thousand films: every one taken, and none left without an end."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass

import requests

from benchmarks.load.answers import Answers
from benchmarks.load.arrivals import ANSWERED, REFUSED
from benchmarks.load.people import Person
from benchmarks.load.visitors import Visitors
from benchmarks.servers import RunningPortal

SENDERS = 8
_PAUSE_S = 2.0


@dataclass(frozen=True)
class Batch:
    """`sent_s` until the last was accepted, `ended_s` until the last had ended; how often the portal said "later"."""

    films: int
    sent_s: float
    ended_s: float | None
    refusals: int
    states: dict[str, int]
    still_open: int


async def run(portal: RunningPortal, visitors: Visitors, answers: Answers, doctor: Person, films: int) -> Batch:
    """As fast as the portal takes them, by SENDERS at once; what is refused is sent again. Raises what fails."""
    began, left, refusals = time.monotonic(), iter(range(films)), 0

    async def send() -> None:
        nonlocal refusals
        for _ in left:
            while (outcome := await visitors.upload()) != ANSWERED:
                if outcome != REFUSED:
                    raise RuntimeError("a film of the batch was not answered")
                refusals += 1
                await asyncio.sleep(_PAUSE_S)

    await asyncio.gather(*(send() for _ in range(SENDERS)))
    sent_s = time.monotonic() - began
    ended_s = await answers.ended(600)
    whole = None if ended_s is None else round(sent_s + ended_s, 1)
    states: Counter[str] = answers.count(began)
    return Batch(films, round(sent_s, 1), whole, refusals, dict(states), open_jobs(portal, doctor))


def open_jobs(portal: RunningPortal, doctor: Person) -> int:
    """Jobs of this doctor that have not ended, as the portal lists them (at most 500 of a state)."""
    found = 0
    for state in ("queued", "running"):
        answer = requests.get(
            f"{portal.url}/api/v1/jobs",
            params={"state": state, "limit": "500"},
            headers={"Authorization": f"Bearer {doctor.token}"},
            verify=portal.authority,
            timeout=30,
        )
        answer.raise_for_status()
        found += len(answer.json()["items"])
    return found
