"""One phase: every stream at its rate, side by side, and what came of it."""

import asyncio
import time
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.load.answers import Answers
from benchmarks.load.arrivals import ANSWERED, BROKEN, REFUSED, Arrival, arrive
from benchmarks.load.plan import PAGE, POLL, SIGN_IN, STREAMS, UPLOAD, VISIBLE, Phase, Stream
from benchmarks.load.visitors import Visitors
from benchmarks.table import percentile


@dataclass(frozen=True)
class Line:
    """Of one stream: requests offered a second, milliseconds of what was answered, shares of what was not."""

    stream: str
    per_s: float
    took_ms: tuple[float, float, float] | None
    figures_ms: tuple[float, float, float]
    refused: float
    broken: float
    late_ms: float


@dataclass(frozen=True)
class Outcome:
    """`began` and `ended` are monotonic seconds; `drained_s` from the end until no job was open. None: never, or not
    `waited` for."""

    phase: Phase
    lines: list[Line]
    began: float
    ended: float
    accepted: int
    drained_s: float | None
    waited: bool
    arrivals: dict[str, list[Arrival]]

    @property
    def refused(self) -> float:
        return self._share(REFUSED)

    @property
    def broken(self) -> float:
        return self._share(BROKEN)

    def _share(self, outcome: str) -> float:
        every = [each.outcome for arrivals in self.arrivals.values() for each in arrivals]
        return every.count(outcome) / max(1, len(every))

    def told(self) -> dict[str, Any]:
        """For the record."""
        known = {"refused": self.refused, "broken": self.broken, "accepted": self.accepted, "drained_s": self.drained_s}
        return {"phase": asdict(self.phase), "lines": [asdict(line) for line in self.lines], **known}


async def run(
    phase: Phase, seconds: float, scale: float, visitors: Visitors, answers: Answers, drain_s: float
) -> Outcome:
    """Offers the load for so many seconds, and waits at most `drain_s` for what it queued."""
    asks = {PAGE: visitors.page, POLL: visitors.poll, UPLOAD: visitors.upload, SIGN_IN: visitors.sign_in}
    began = time.monotonic()
    found = await asyncio.gather(
        *(arrive(stream.per_s * phase.times * scale, seconds, asks[stream]) for stream in STREAMS)
    )
    ended = time.monotonic()
    drained_s = await answers.ended(drain_s)
    lines = [line(stream, arrivals, seconds) for stream, arrivals in zip(STREAMS, found, strict=True)]
    visible = answers.visible_s(began, ended)
    lines.append(Line(VISIBLE.name, len(visible) / seconds, milliseconds(visible), VISIBLE.figures_ms, 0, 0, 0))
    arrivals = {stream.name: each for stream, each in zip(STREAMS, found, strict=True)}
    return Outcome(phase, lines, began, ended, answers.count(began).total(), drained_s, drain_s > 0, arrivals)


def line(stream: Stream, arrivals: list[Arrival], seconds: float) -> Line:
    """What one stream was offered and got."""
    outcomes = [each.outcome for each in arrivals]
    shares = {word: outcomes.count(word) / max(1, len(outcomes)) for word in (REFUSED, BROKEN)}
    took = milliseconds([each.took_s for each in arrivals if each.outcome == ANSWERED])
    late_ms = percentile([each.late_s for each in arrivals], 0.99) * 1000 if arrivals else 0.0
    per_s = len(arrivals) / seconds
    return Line(stream.name, per_s, took, stream.figures_ms, shares[REFUSED], shares[BROKEN], late_ms)


def milliseconds(seconds: list[float]) -> tuple[float, float, float] | None:
    """The 50th, 95th and 99th of a hundred; None of nothing."""
    if not seconds:
        return None
    return tuple(round(percentile(seconds, share) * 1000, 1) for share in (0.5, 0.95, 0.99))  # type: ignore[return-value]


def recovered_s(after: Outcome, figures_ms: dict[str, float], window_s: float = 5.0) -> float | None:
    """Seconds from the beginning of `after` until a window in which each stream has 95 of 100 answered within its
    figure, and every later one too. None: not once."""
    whole = after.ended - after.began
    starts = [number * window_s for number in range(int(whole // window_s))]
    good = [
        all(_kept(after.arrivals[name], start, window_s, most) for name, most in figures_ms.items()) for start in starts
    ]
    bad = [number for number, kept in enumerate(good) if not kept]
    if not bad:
        return 0.0
    return None if bad[-1] + 1 == len(good) else starts[bad[-1] + 1]


def _kept(arrivals: list[Arrival], start: float, window_s: float, most_ms: float) -> bool:
    inside = [each for each in arrivals if start <= each.due_s < start + window_s]
    quick = [each for each in inside if each.outcome == ANSWERED and each.took_s * 1000 <= most_ms]
    return len(quick) >= 0.95 * len(inside)
