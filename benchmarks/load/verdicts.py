"""What was found beside what was wanted, as lines of one table. What was not run never counts as held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.load.batch import Batch
from benchmarks.load.flat import Trend
from benchmarks.load.live_pages import LivePages
from benchmarks.load.phase import Line, Outcome
from benchmarks.load.plan import (
    DRAINED_WITHIN_S,
    EVENT_LAG_P95_S,
    FLAT,
    FLAT_OVER_S,
    LATE_MS,
    RECOVERED_WITHIN_S,
    SPARE,
    VOLUME_MB_PER_S,
)


@dataclass(frozen=True)
class Verdict:
    """`held` is None where nothing can be said."""

    what: str
    wanted: str
    found: str
    held: bool | None


def of_phase(outcome: Outcome) -> list[Verdict]:
    """Its times where the plan has figures, its refusals and failures, and that nothing of it was lost."""
    phase, said = outcome.phase, []
    for line in outcome.lines:
        wanted = " / ".join(f"{figure:g}" for figure in line.figures_ms) + " ms" if phase.timed else "-"
        held = _in_time(line) if phase.timed else True
        said.append(Verdict(f"{phase.name}: {line.stream}", f"{line.per_s:.1f}/s in {wanted}", _times(line), held))
    most = f"refused at most {phase.refused:.1%}, broken at most {phase.broken:.1%}"
    kept = outcome.refused <= phase.refused and outcome.broken <= phase.broken
    said.append(Verdict(f"{phase.name}: turned away", most, f"{outcome.refused:.2%}, {outcome.broken:.2%}", kept))
    late_ms = max(line.late_ms for line in outcome.lines)
    said.append(
        Verdict(
            f"{phase.name}: the driver's own lateness",
            f"{LATE_MS:g} ms",
            f"{late_ms:.0f} ms",
            late_ms <= LATE_MS or None,
        )
    )
    if outcome.drained_s is None and not outcome.waited:
        return said
    drained = "never" if outcome.drained_s is None else f"{outcome.drained_s:.0f} s"
    queue = outcome.drained_s is not None and outcome.drained_s <= DRAINED_WITHIN_S
    said.append(Verdict(f"{phase.name}: its queue is empty after", f"{DRAINED_WITHIN_S:.0f} s", drained, queue))
    return said


def of_recovery(seconds: float | None) -> Verdict:
    found = "not while it was watched" if seconds is None else f"{seconds:.0f} s"
    held = seconds is not None and seconds <= RECOVERED_WITHIN_S
    return Verdict("as before, after five times", f"{RECOVERED_WITHIN_S:.0f} s", found, held)


def of_tiers(phase: str, what: str, trends: Mapping[str, Trend | None]) -> list[Verdict]:
    """Growth of each tier, by its slope."""
    said = []
    for tier, trend in trends.items():
        found = "too few samples" if trend is None else _grown(trend)
        held = {"flat": True, "falls": True, "grows": False}.get(trend.verdict) if trend else None
        said.append(Verdict(f"{phase}: {what} of {tier}", f"{FLAT:+.0%} in {FLAT_OVER_S / 60:.0f} min", found, held))
    return said


def of_closed_again(before: Mapping[str, Sequence[float]], after: Mapping[str, Sequence[float]]) -> list[Verdict]:
    """What five times the load opened, each tier has closed: in the middle it has no more than it ever had before and
    a pool keeps."""
    said = []
    for tier, counts in sorted(before.items()):
        found = median(after[tier]) if after.get(tier) else None
        text = "not looked at" if found is None else f"{found:.0f} (before in the middle {median(counts):.0f})"
        most = max(counts) + SPARE
        held = None if found is None else found <= most
        said.append(Verdict(f"descriptors of {tier}, after five times", f"at most {most:.0f}", text, held))
    return said


def of_nothing_lost(accepted: int, states: Mapping[str, int], torn: int, still_open: int) -> Verdict:
    """Of all that was answered 201: ended, and there byte for byte."""
    ended = sum(count for state, count in states.items() if state in ("succeeded", "failed"))
    counted = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    found = f"{counted}; {torn} of those looked at torn; {still_open} open"
    return Verdict(
        "everything accepted", f"{accepted} ended, 0 lost", found, (ended, torn, still_open) == (accepted, 0, 0)
    )


def of_processes(before: Mapping[str, list[int]], after: Mapping[str, list[int]]) -> Verdict:
    """Nothing died: all processes of before are there."""
    died = [tier for tier, pids in before.items() if set(pids) - set(after.get(tier, []))]
    return Verdict("no process died", "none", ", ".join(died) or "none", not died)


def of_batch(batch: Batch) -> Verdict:
    found = (
        f"sent in {batch.sent_s} s, ended after {batch.ended_s} s; {batch.states}; asked to wait {batch.refusals} times"
    )
    held = batch.ended_s is not None and batch.still_open == 0 and batch.states == {"succeeded": batch.films}
    return Verdict(f"a batch of {batch.films} films", "all ended, none open", found, held)


def of_live_pages(name: str, pages: LivePages, all_open: bool) -> list[Verdict]:
    """All open, or the rest told to poll."""
    found = f"{pages.opened} open, {pages.polling} told to poll, {pages.broken} broken; {pages.stayed} stayed"
    kept = pages.broken == 0 and pages.stayed == pages.opened and (pages.opened == pages.wanted or not all_open)
    lag = "no event" if pages.lag_p95_s is None else f"{pages.lag_p95_s} s of {pages.events}"
    in_time = pages.lag_p95_s is not None and pages.lag_p95_s <= EVENT_LAG_P95_S
    return [
        Verdict(f"{pages.wanted} live pages, {name}", "all open" if all_open else "none broken", found, kept),
        Verdict(f"events to them, {name}: p95", f"{EVENT_LAG_P95_S:.0f} s", lag, in_time),
    ]


def of_volume(mb_per_s: float) -> Verdict:
    held = mb_per_s >= VOLUME_MB_PER_S
    return Verdict("a volume of 100 MB until 201", f"{VOLUME_MB_PER_S:.0f} MB/s", f"{mb_per_s} MB/s", held)


def table(verdicts: list[Verdict]) -> str:
    """Markdown."""
    words = {True: "held", False: "MISSED", None: "NOT KNOWN"}
    lines = [f"| {each.what} | {each.wanted} | {each.found} | {words[each.held]} |" for each in verdicts]
    return "\n".join(["| | wanted | found | |", "|---|---|---|---|", *lines])


def _in_time(line: Line) -> bool:
    return line.took_ms is not None and all(
        took <= figure for took, figure in zip(line.took_ms, line.figures_ms, strict=True)
    )


def _times(line: Line) -> str:
    if line.took_ms is None:
        return "nothing was answered"
    said = " / ".join(f"{took:.0f}" for took in line.took_ms) + " ms"
    if line.refused or line.broken:
        said += f"; {line.refused:.1%} refused, {line.broken:.1%} broken"
    return said


def _grown(trend: Trend) -> str:
    return f"{trend.growth:+.1%} ({trend.least:+.1%} to {trend.most:+.1%}) of {trend.middle:.0f}: {trend.verdict}"
