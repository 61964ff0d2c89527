"""Does a figure stay flat? By the slope of Theil and Sen and its 95 % interval, which single jumps do not move.

Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63 (1968), 1379; scipy.stats.theilslopes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import theilslopes

from benchmarks.load.plan import FLAT, FLAT_OVER_S

FEW = 8  # samples from which nothing is said
_SETTLING = 1 / 3  # of the time: caches and pools fill


@dataclass(frozen=True)
class Trend:
    """Growth over FLAT_OVER_S as a share of the middle value: its estimate, and the interval's ends."""

    growth: float
    least: float
    most: float
    middle: float

    @property
    def verdict(self) -> str:
        """It is flat, falls or grows where the whole interval says so; else the time was too short to tell."""
        if self.most <= FLAT:
            return "falls" if self.most < -FLAT else "flat"
        return "grows" if self.least > FLAT else "too short to tell"


def trend(samples: Sequence[tuple[float, float]]) -> Trend | None:
    """Of (seconds, value) in order of time, without the first third. None for FEW."""
    if not samples:
        return None
    begin, end = samples[0][0], samples[-1][0]
    settled = [(at, value) for at, value in samples if at >= begin + _SETTLING * (end - begin)]
    if len(settled) < FEW:
        return None
    times, values = zip(*settled, strict=True)
    middle = sorted(values)[len(values) // 2]
    slope, _, least, most = theilslopes(values, times, 0.95)
    growth, low, high = (float(each) * FLAT_OVER_S / max(middle, 1e-9) for each in (slope, least, most))
    return Trend(growth, low, high, float(middle))
