"""Pages that are open all day: each holds a live stream. How many are taken, and how long an answer is under way."""

import asyncio
import io
import itertools
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

import aiohttp

from benchmarks.load.arrivals import ANSWERED, BROKEN, REFUSED, arrive
from benchmarks.load.connections import ADDRESSES, session_from
from benchmarks.load.people import Person
from benchmarks.load.visitors import MULTIPART, multipart, outcome
from benchmarks.servers import RunningPortal
from benchmarks.table import percentile

_RATE_PER_S, _BETWEEN_S, _LAST_S = 2.0, 0.02, 3.0
_EVENT = b"event: job-"


@dataclass(frozen=True)
class LivePages:
    """Of `wanted` pages: open, told to poll instead, broken, and still open at the end. Seconds from a job's end to
    the page that shows it."""

    wanted: int
    opened: int
    polling: int
    broken: int
    stayed: int
    events: int
    lag_p50_s: float | None
    lag_p95_s: float | None


class _Pages:
    """`shown` has when a page last heard of a job: by (page, job), seconds since 1970."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []
        self.shown: dict[tuple[int, str], float] = {}
        self.open = 0

    async def hold(self, number: int, session: aiohttp.ClientSession, url: str, person: Person) -> None:
        """Opens a page's stream and reads it until it ends."""
        headers = {"Cookie": person.cookies, "Accept": "text/event-stream"}
        try:
            async with session.get(f"{url}/live", headers=headers) as stream:
                self.outcomes.append(outcome(stream.status, stream.headers, for_program=False))
                if stream.status != 200:
                    return
                self.open += 1
                try:
                    async for line in stream.content:
                        if line.startswith(_EVENT):
                            self.shown[(number, line[len(_EVENT) :].decode().strip())] = time.time()
                finally:
                    self.open -= 1
        except (aiohttp.ClientError, TimeoutError, OSError):
            self.outcomes.append(BROKEN)


async def run(
    portal: RunningPortal, people: Sequence[Person], films: Sequence[bytes], wanted: int, seconds: float
) -> LivePages:
    """Opens `wanted` pages of these people, uploads some films a second for them, and reads what comes."""
    pages, who, bodies = _Pages(), itertools.cycle(people), itertools.cycle([multipart(film) for film in films])
    sent: dict[str, Person] = {}
    async with AsyncExitStack() as stack:
        timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
        sessions = [
            await stack.enter_async_context(session_from(address, portal.authority, timeout)) for address in ADDRESSES
        ]
        turn = itertools.cycle(sessions)

        async def upload() -> str:
            person = next(who)
            headers = {"Authorization": f"Bearer {person.token}", "Content-Type": MULTIPART}
            body = io.BytesIO(next(bodies))
            async with next(turn).post(f"{portal.url}/api/v1/studies", headers=headers, data=body) as answer:
                if answer.status == 201:
                    sent[(await answer.json())["jobs"][0]["id"]] = person
                return outcome(answer.status, answer.headers, for_program=True)

        holding = []
        for number in range(wanted):
            holding.append(asyncio.create_task(pages.hold(number, next(turn), portal.url, next(who))))
            await asyncio.sleep(_BETWEEN_S)
        while len(pages.outcomes) < wanted:
            await asyncio.sleep(0.1)
        await arrive(_RATE_PER_S, seconds, upload)
        await asyncio.sleep(_LAST_S)
        stayed, ends = pages.open, {}
        for job, person in sent.items():
            headers = {"Authorization": f"Bearer {person.token}"}
            async with sessions[0].get(f"{portal.url}/api/v1/jobs/{job}", headers=headers) as answer:
                if ended := (await answer.json())["finished_at"]:
                    ends[job] = datetime.fromisoformat(ended).timestamp()
        for task in holding:
            task.cancel()
        await asyncio.gather(*holding, return_exceptions=True)
    lags = [at - ends[job] for (_, job), at in pages.shown.items() if job in ends]
    taken, polling = pages.outcomes.count(ANSWERED), pages.outcomes.count(REFUSED)
    p50, p95 = (round(percentile(lags, share), 3) if lags else None for share in (0.5, 0.95))
    return LivePages(wanted, taken, polling, wanted - taken - polling, stayed, len(lags), p50, p95)
