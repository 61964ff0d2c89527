"""A line plot as positions in a drawing. Numbers and words only; the template draws."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ui_service.prometheus import POINTS, Line

WIDTH, HEIGHT = 360.0, 110.0  # of the drawn field, in its own units; the page stretches it
MOST_LINES = 6  # as many as can be told apart
Say = Callable[[float], str]


@dataclass(frozen=True)
class Drawn:
    """One line: `path` is SVG's, `style` counts from 0 and stands for a colour and a kind of dashes."""

    name: str
    style: int
    path: str
    latest: str


@dataclass(frozen=True)
class Plot:
    """`top` words the highest value of the scale, which begins at 0. No lines: there is nothing to draw yet."""

    title: str
    lines: list[Drawn]
    top: str
    spoken: str


def plot(title: str, found: Sequence[Line], label: str, start: float, end: float, say: Say) -> Plot:
    """Draws the lines that moved most recently highest; each is named by its `label`, or by the title without one."""
    seen = sorted((line for line in found if line.points), key=lambda line: -line.points[-1][1])[:MOST_LINES]
    seen.sort(key=lambda line: _name(line.labels, label, title))
    top = nice(max((value for line in seen for _, value in line.points), default=0.0))
    lines = [
        Drawn(_name(line.labels, label, title), style, _path(line.points, start, end, top), say(line.points[-1][1]))
        for style, line in enumerate(seen)
    ]
    latest = "; ".join(f"{line.name} now {line.latest}" for line in lines) or "nothing to show yet"
    return Plot(title, lines, say(top), f"{title}: {latest}.")


def nice(highest: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not below `highest`; 1 where that is 0."""
    if highest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(highest))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= highest * 0.9999)


def _name(labels: Mapping[str, str], label: str, title: str) -> str:
    return " ".join(labels.get(part, "") for part in label.split()).strip() or title


def _path(points: Sequence[tuple[float, float]], start: float, end: float, top: float) -> str:
    """A path that is broken where samples are missing; a sample alone is a short dash."""
    gap_s, parts, last = 2.5 * max(1.0, (end - start) / POINTS), [], -math.inf
    for at, value in points:
        x = WIDTH * (at - start) / (end - start)
        y = HEIGHT * (1 - value / top)
        parts.append(f"{'L' if at - last <= gap_s else 'M'}{x:.1f} {y:.1f}")
        last = at
    return " ".join(parts) + " h1"
