"""`make load`: the load that the portal was planned for, twice and five times that, a batch, and 200 live pages.

Arrivals go by the clock (arrivals.py) at the plan's own rates (plan.py), from four addresses. `--minutes` is the
length of the steady phase; at twice the load it is three tenths of that, or `--double`.
"""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import servers
from benchmarks.films import films
from benchmarks.kept import RESULTS, machine
from benchmarks.load import batch, live_pages, people, phase, verdicts, volume
from benchmarks.load.answers import Answers
from benchmarks.load.flat import trend
from benchmarks.load.ledger import torn
from benchmarks.load.plan import AFTER, BATCH, BURST, CLOSED_AGAIN_S, DOUBLE, LIVE_PAGES, STEADY, STREAMS, Phase
from benchmarks.load.tiers import Watch, within
from benchmarks.load.visitors import Visitors
from benchmarks.servers import RunningPortal

PAGES_EACH, FEWEST_DOCTORS = 8, 4  # a doctor's live pages, by default
SEEDS, DRAIN_S = 60, 300.0
FILM_WIDTH = 2160  # a PNG of 2 MB


def main() -> None:
    """Prints the table and keeps it in RESULTS."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the portal ends with it
    found: dict[str, Any] = {"machine": machine(), "asked": vars(asked)}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lightbox-load-", dir=asked.folder)))
        _say("Starting the portal…")
        with servers.portal(folder / "var") as portal:
            names = people.make(portal, max(FEWEST_DOCTORS, -(-asked.pages // PAGES_EACH)))
            said = asyncio.run(_loaded(portal, names, asked, found))
        if asked.pages:
            _say(f"{asked.pages} live pages, on a portal that holds so many…")
            with servers.portal(folder / "var", **_many_pages(asked.pages)) as portal:
                said += asyncio.run(_live(portal, names, asked, found, "configured for them", all_open=True))
    found["verdicts"] = [asdict(each) for each in said]
    record = json.dumps(found, indent=1, default=str)
    print(f"\n{verdicts.table(said)}\n")
    kept = RESULTS / f"load-{found['machine']['at'][:10]}-{found['machine']['commit']}.json"
    if not asked.trial:
        RESULTS.mkdir(exist_ok=True)
        kept.write_text(record + "\n")
        print(f"kept in {kept}")
    sys.exit(any(each.held is False for each in said))


async def _loaded(
    portal: RunningPortal, names: list[str], asked: argparse.Namespace, found: dict[str, Any]
) -> list[verdicts.Verdict]:
    doctor = people.signed_in(portal, "doctor")
    pictures = films(12, ".png", FILM_WIDTH)
    answers = Answers(portal.url, portal.authority, doctor.token)
    listening = asyncio.create_task(answers.listen())
    said: list[verdicts.Verdict] = []
    async with Visitors(portal.url, portal.authority, doctor, names, pictures, answers) as visitors:
        _say(f"{SEEDS} films to begin with…")
        await batch.run(portal, visitors, answers, doctor, SEEDS)
        if asked.volumes:
            _say("Volumes…")
            found["volume_mb_per_s"] = await asyncio.to_thread(volume.mb_per_s, portal, doctor)
            said.append(verdicts.of_volume(found["volume_mb_per_s"]))
        with Watch(portal) as watch:
            running = watch.processes()
            steady = await _phase(STEADY, asked.minutes * 60, asked, visitors, answers, watch, found, said)
            await _phase(
                DOUBLE, (asked.double or asked.minutes * 0.3) * 60, asked, visitors, answers, watch, found, said
            )
            await _phase(BURST, asked.burst, asked, visitors, answers, watch, found, said, drain_s=0)
            after = await _phase(AFTER, asked.after, asked, visitors, answers, watch, found, said)
            found["recovered_s"] = phase.recovered_s(after, _as_before(steady))
            said.append(verdicts.of_recovery(found["recovered_s"]))
            before, last = (
                {tier: [count for _, count in each] for tier, each in within(watch.descriptors, *span).items()}
                for span in ((steady.began, steady.ended), (after.ended - CLOSED_AGAIN_S, after.ended))
            )
            said += verdicts.of_closed_again(before, last)
            if asked.batch:
                _say(f"A batch of {asked.batch} films…")
                whole = await batch.run(portal, visitors, answers, doctor, asked.batch)
                found["batch"] = asdict(whole)
                said.append(verdicts.of_batch(whole))
            said.append(verdicts.of_processes(running, watch.processes()))
        found["no_success"] = visitors.said
        _say(f"What was no success: {visitors.said}")
        listening.cancel()
        states = dict(answers.count())
        found["states"], found["torn"] = states, await torn(portal, doctor, answers, pictures)
        still_open = batch.open_jobs(portal, doctor)
        said.append(verdicts.of_nothing_lost(len(answers.book), states, found["torn"], still_open))
    if asked.pages:
        _say(f"{asked.pages} live pages, on a portal that nobody configured for them…")
        said += await _live(portal, names, asked, found, "not configured for them", all_open=False)
    return said


async def _phase(
    wanted: Phase,
    seconds: float,
    asked: argparse.Namespace,
    visitors: Visitors,
    answers: Answers,
    watch: Watch,
    found: dict[str, Any],
    said: list[verdicts.Verdict],
    drain_s: float = DRAIN_S,
) -> phase.Outcome:
    offered = sum(stream.per_s for stream in STREAMS) * wanted.times * asked.scale
    _say(f"{wanted.name}: {offered:.0f} requests a second for {seconds:.0f} s…")
    outcome = await phase.run(wanted, seconds, asked.scale, visitors, answers, drain_s)
    said += verdicts.of_phase(outcome)
    told = found.setdefault("phases", [])
    told.append(outcome.told())
    if wanted.steady:
        for what, samples in (("RSS in MB", watch.rss), ("descriptors", watch.descriptors)):
            inside = within(samples, outcome.began, outcome.ended)
            said += verdicts.of_tiers(wanted.name, what, {tier: trend(each) for tier, each in sorted(inside.items())})
            told[-1][what] = {tier: _some([round(value, 1) for _, value in each]) for tier, each in inside.items()}
    return outcome


async def _live(
    portal: RunningPortal, names: list[str], asked: argparse.Namespace, found: dict[str, Any], name: str, all_open: bool
) -> list[verdicts.Verdict]:
    doctors = [people.signed_in(portal, each, desk) for desk, each in enumerate(names, 1)]
    pages = await live_pages.run(portal, doctors, films(12, ".png", FILM_WIDTH), asked.pages, asked.live)
    found[f"live pages, {name}"] = asdict(pages)
    return verdicts.of_live_pages(name, pages, all_open)


def _some(samples: list[float]) -> list[float]:
    """Some twenty of them, evenly picked."""
    return samples[:: max(1, len(samples) // 20)]


def _many_pages(count: int) -> dict[str, str]:
    """So many live pages are more than a portal holds that nobody configured: there the others poll."""
    return {
        "LIGHTBOX_UI_STREAMS": str(count),
        "LIGHTBOX_STREAMS_TOTAL": str(count),
        "LIGHTBOX_APP_THREADS": str(count + 32),
    }


def _as_before(steady: phase.Outcome) -> dict[str, float]:
    """By stream the milliseconds within which the portal is itself again: the plan's for 99 of 100, or twice what it
    took when nothing was wrong where that is more."""
    return {
        line.stream: max(line.figures_ms[2], 2 * line.took_ms[1] if line.took_ms else 0.0)
        for line in steady.lines
        if line.stream in steady.arrivals
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of the planned load")
    parser.add_argument("--double", type=float, help="minutes at twice the load (default: three tenths of --minutes)")
    parser.add_argument("--burst", type=float, default=60, help="seconds at five times the load")
    parser.add_argument("--after", type=float, default=120, help="seconds of the planned load after that")
    parser.add_argument("--batch", type=int, default=BATCH, help="films of one doctor; 0: left out")
    parser.add_argument("--pages", type=int, default=LIVE_PAGES, help="live pages; 0: left out")
    parser.add_argument("--live", type=float, default=60, help="seconds that films come in for the live pages")
    parser.add_argument("--volumes", type=int, default=1, help="0: left out")
    parser.add_argument("--scale", type=float, default=1, help="times the planned rates, in every phase")
    parser.add_argument("--folder", type=Path, help="where the portal keeps its data meanwhile (about 10 GB)")
    parser.add_argument("--trial", action="store_true", help="keep nothing")
    return parser.parse_args()


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
