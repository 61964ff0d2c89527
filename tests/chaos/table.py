"""The table that is printed in the end."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.fault import Fault
from tests.chaos.load import Run

_HEAD = ["| fault | | repeats | recovery, s: median (longest) | figure, s | invariants |", "|---|---|---|---|---|---|"]


@dataclass
class Row:
    """A fault with its runs, or why there are none."""

    fault: Fault
    runs: list[Run]
    not_run: str = ""

    @property
    def broken(self) -> list[str]:
        return [text for run in self.runs for text in run.broken]


def table(rows: Sequence[Row]) -> str:
    """Markdown. What was not run never counts as held."""
    return "\n".join([*_HEAD, *map(_line, rows)]) + "\n"


def _line(row: Row) -> str:
    fault, times = row.fault, sorted(run.recovery_s for run in row.runs)
    if not times:
        return f"| {fault.name} | {fault.words} | - | - | {fault.figure_s:.0f} | NOT RUN: {row.not_run} |"
    held = "held" if not row.broken else f"BROKEN in {sum(1 for run in row.runs if run.broken)}: {row.broken[0]}"
    if failures := sum(len(run.failures) for run in row.runs):
        held += f"; {failures} jobs failed with a reason"
    took = f"{times[len(times) // 2]:.1f} ({times[-1]:.1f})"
    return f"| {fault.name} | {fault.words} | {len(times)} | {took} | {fault.figure_s:.0f} | {held} |"
