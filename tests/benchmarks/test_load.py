"""The load driver keeps to its clock, and its table says so when something is missed."""

import asyncio
from dataclasses import replace

import aiohttp
import certifi
import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from benchmarks.load import verdicts
from benchmarks.load.arrivals import ANSWERED, BROKEN, REFUSED, Arrival, arrive
from benchmarks.load.batch import Batch
from benchmarks.load.connections import ADDRESSES, session_from
from benchmarks.load.flat import trend
from benchmarks.load.live_pages import LivePages
from benchmarks.load.phase import Line, Outcome, line, recovered_s
from benchmarks.load.plan import AFTER, DOUBLE, PAGE, STEADY
from benchmarks.load.visitors import outcome


def test_slow_answers_hold_no_arrival_up_and_hide_nothing() -> None:
    """A portal that hangs until the last has asked: a closed driver would wait for its first answer for ever."""
    count = 20

    async def loaded() -> list[Arrival]:
        all_have_asked, asked = asyncio.Event(), 0

        async def hang() -> str:
            nonlocal asked
            asked += 1
            if asked == count:
                all_have_asked.set()
            await all_have_asked.wait()
            return ANSWERED

        return await asyncio.wait_for(arrive(50, count / 50, hang), 60)

    found = asyncio.run(loaded())
    assert [each.due_s for each in found] == pytest.approx([number / 50 for number in range(count)])
    assert all(each.late_s > -0.01 for each in found)  # never ahead of the clock
    assert all(each.took_s >= found[-1].due_s - each.due_s - 0.01 for each in found)  # and each has waited as long


def test_what_waited_to_be_sent_has_waited_too() -> None:
    async def block() -> str:
        await asyncio.sleep(0)
        end = asyncio.get_running_loop().time() + 0.1
        while asyncio.get_running_loop().time() < end:  # the driver itself has no time left
            pass
        return ANSWERED

    found = asyncio.run(arrive(50, 0.2, block))
    assert found[-1].late_s > 0.2
    assert all(each.took_s >= each.late_s for each in found)


def test_what_a_full_moment_opened_is_left_unused_afterwards() -> None:
    """The last used connection comes first, so the others idle and are closed; aiohttp alone would use them in turn."""
    came_from: list[int] = []

    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        came_from.append(request.transport.get_extra_info("peername")[1])
        await asyncio.sleep(0.05)
        return web.Response()

    async def asked() -> None:
        portal = web.Application()
        portal.router.add_get("/", answer)
        timeout = aiohttp.ClientTimeout(total=30)
        async with TestServer(portal) as server, session_from(ADDRESSES[0], certifi.where(), timeout) as session:

            async def look() -> None:
                async with session.get(server.make_url("/")) as response:
                    await response.read()

            await asyncio.gather(*(look() for _ in range(4)))
            for _ in range(6):
                await look()

    asyncio.run(asked())
    assert len(set(came_from[:4])) == 4
    assert len(set(came_from[4:])) == 1


@pytest.mark.parametrize(
    ("status", "headers", "for_program", "expected"),
    [
        (303, {}, False, ANSWERED),
        (503, {"Retry-After": "5"}, False, REFUSED),
        (429, {"Retry-After": "5", "Content-Type": "application/problem+json"}, True, REFUSED),
        (503, {}, False, BROKEN),
        (503, {"Retry-After": "5", "Content-Type": "text/html"}, True, BROKEN),
        (500, {"Retry-After": "5"}, False, BROKEN),
        (401, {}, False, BROKEN),
    ],
)
def test_a_refusal_says_when_to_come_back(
    status: int, headers: dict[str, str], for_program: bool, expected: str
) -> None:
    assert outcome(status, headers, for_program) == expected


def _arrivals(outcomes: str, took_s: float = 0.01) -> list[Arrival]:
    words = {"a": ANSWERED, "r": REFUSED, "b": BROKEN}
    return [Arrival(number / 10, 0, took_s, words[each]) for number, each in enumerate(outcomes)]


def _outcome(outcomes: str, took_s: float = 0.01) -> Outcome:
    arrivals = _arrivals(outcomes, took_s)
    seconds = len(outcomes) / 10
    lines = [line(PAGE, arrivals, seconds)]
    return Outcome(STEADY, lines, 0, seconds, 3, 1.0, True, {PAGE.name: arrivals})


def _missed(said: list[verdicts.Verdict]) -> int:
    return sum(each.held is False for each in said)


def test_figures_that_are_missed_are_named() -> None:
    assert _missed(verdicts.of_phase(_outcome("a" * 50))) == 0
    assert _missed(verdicts.of_phase(_outcome("a" * 50, took_s=0.3))) == 1
    assert _missed(verdicts.of_phase(_outcome("a" * 49 + "b"))) == 1
    assert _missed(verdicts.of_phase(replace(_outcome("a" * 50), drained_s=None))) == 1
    assert _missed(verdicts.of_phase(replace(_outcome("a" * 50), drained_s=None, waited=False))) == 0
    silent = Line("page", 1, None, (1, 1, 1), 1, 0, 0)
    assert _missed(verdicts.of_phase(replace(_outcome("a" * 50), lines=[silent]))) == 1
    # At twice the load times are no figures, and some may be turned away.
    slow = replace(_outcome("aaaar" * 10, took_s=3), phase=DOUBLE)
    assert _missed(verdicts.of_phase(slow)) == 0
    assert _missed(verdicts.of_phase(replace(_outcome("aaarr" * 10), phase=DOUBLE))) == 1


def test_a_driver_that_is_late_itself_says_so() -> None:
    late = [replace(each, late_s=0.06) for each in _arrivals("a" * 50)]
    said = verdicts.of_phase(replace(_outcome("a" * 50), lines=[line(PAGE, late, 5)]))
    assert [each.held for each in said if "lateness" in each.what] == [None]


def test_a_portal_has_recovered_when_it_stays_so() -> None:
    within = {PAGE.name: 200.0}
    assert recovered_s(replace(_outcome("a" * 200), phase=AFTER), within) == 0
    assert recovered_s(_outcome("r" * 60 + "a" * 140), within) == 10
    assert recovered_s(_outcome("r" * 60 + "a" * 60 + "b" * 30 + "a" * 50), within) == 15
    assert recovered_s(_outcome("a" * 180 + "r" * 20), within) is None
    assert verdicts.of_recovery(10).held and not verdicts.of_recovery(61).held and not verdicts.of_recovery(None).held


@pytest.mark.parametrize(("percent_in_30_min", "expected"), [(0, "flat"), (4, "flat"), (8, "grows"), (-10, "falls")])
def test_the_slope_tells_growth_from_noise(percent_in_30_min: float, expected: str) -> None:
    chance, times = np.random.default_rng(0), np.arange(0, 600, 3.0)
    values = 500 * (1 + percent_in_30_min / 100 * times / 1800) + chance.normal(0, 1, len(times))
    values[:60] -= np.linspace(100, 0, 60)  # it fills at first
    values[150] += 200  # one jump is no slope
    found = trend(list(zip(times, values, strict=True)))
    assert found and found.verdict == expected
    assert verdicts.of_tiers("steady", "RSS", {"UI": found})[0].held is (expected != "grows")


def test_too_little_says_nothing() -> None:
    chance = np.random.default_rng(0)
    noisy = trend([(at, 100 + chance.normal(0, 3)) for at in np.arange(0, 60, 3.0)])
    assert noisy and noisy.verdict == "too short to tell"
    assert trend([(at, 100.0) for at in range(6)]) is None
    said = verdicts.of_tiers("steady", "RSS", {"UI": noisy, "App": None})
    assert [each.held for each in said] == [None, None]
    assert "NOT KNOWN" in verdicts.table(said) and "| held |" not in verdicts.table(said)


def test_losses_are_seen() -> None:
    assert verdicts.of_nothing_lost(5, {"succeeded": 4, "failed": 1}, 0, 0).held
    assert not verdicts.of_nothing_lost(5, {"succeeded": 4, "lost": 1}, 0, 0).held
    assert not verdicts.of_nothing_lost(5, {"succeeded": 4, "queued": 1}, 0, 1).held
    assert not verdicts.of_nothing_lost(5, {"succeeded": 5}, 1, 0).held
    assert not verdicts.of_processes({"UI": [1, 2]}, {"UI": [1, 3]}).held
    assert verdicts.of_processes({"UI": [1, 2]}, {"UI": [1, 2, 3]}).held
    whole = Batch(9, 1.0, 2.0, 0, {"succeeded": 9}, 0)
    assert verdicts.of_batch(whole).held
    assert not verdicts.of_batch(replace(whole, still_open=1)).held
    assert not verdicts.of_batch(replace(whole, states={"succeeded": 8, "failed": 1})).held


def test_pages_without_a_stream_must_have_been_told_to_poll() -> None:
    pages = LivePages(200, 40, 160, 0, 40, 50, 0.1, 0.4)
    assert [each.held for each in verdicts.of_live_pages("as it comes", pages, all_open=False)] == [True, True]
    assert [each.held for each in verdicts.of_live_pages("for them", pages, all_open=True)] == [False, True]
    late = replace(pages, polling=159, broken=1, lag_p95_s=1.5)
    assert [each.held for each in verdicts.of_live_pages("as it comes", late, all_open=False)] == [False, False]


@pytest.mark.parametrize(("after", "held"), [([20, 30, 60], True), ([20, 31, 61], False), ([], None)])
def test_what_a_burst_opened_has_to_be_closed_again(after: list[float], held: bool | None) -> None:
    (said,) = verdicts.of_closed_again({"App": [18, 20, 22]}, {"App": after})
    assert said.held is held
