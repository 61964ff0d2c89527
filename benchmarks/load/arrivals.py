"""Arrivals by the clock, whatever has become of those before: the open model.

Locust's users wait for their answer before they ask again, so a slow portal would be asked less (coordinated omission);
k6, whose arrival-rate executors do it right, is not on PyPI. aiohttp brings the client, and this file the clock.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

# What came of a request.
ANSWERED, REFUSED, BROKEN = "answered", "refused", "broken"


@dataclass(frozen=True)
class Arrival:
    """`due_s` after the stream's beginning; `took_s` counts from then, so what waited to be sent has waited too.
    `late_s` is the driver's own part of that."""

    due_s: float
    late_s: float
    took_s: float
    outcome: str


async def arrive(per_s: float, seconds: float, ask: Callable[[], Awaitable[str]]) -> list[Arrival]:
    """Begins `ask` at an even rate for so many seconds; returns when all have ended, in order of arrival."""
    clock = asyncio.get_running_loop().time
    began = clock()

    async def one(due_s: float) -> Arrival:
        late_s = clock() - began - due_s
        outcome = await ask()
        return Arrival(due_s, late_s, clock() - began - due_s, outcome)

    under_way = []
    for number in range(round(per_s * seconds)):
        await asyncio.sleep(max(0.0, began + number / per_s - clock()))
        under_way.append(asyncio.create_task(one(number / per_s)))
    return list(await asyncio.gather(*under_way))
