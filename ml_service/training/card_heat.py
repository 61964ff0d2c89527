"""The part of a card that says whether the heat shows what the answer rests on."""

from typing import Any

from ml_service.training.facts import Facts
from ml_service.training.markdown import table

NAMES = {"hottest": "the hottest first", "random": "at random", "coldest": "the coldest first"}
ALIKE = 0.25  # a rank correlation with an unlearnt network's maps from which the map owes little to learning


def heat_section(found: dict[str, Any] | None, about: Facts) -> str:
    """Returns the section about deletion and randomisation, or nothing."""
    if not found:
        return ""
    curves, gap = found["deletion"], found["gap"]
    rows = [[name, f"{curves[key][0]:.2f}", _mean(curves[key])] for key, name in NAMES.items()]
    head = ["cells greyed", "log-odds of the answer before", "mean while half of the cells are greyed"]
    return (
        f"## Does the heat show what the answer rests on?\n\nOn {found['n']} validation {about.images}; the test split "
        "was read for nothing here. Greying the hottest places should take the answer down fastest (deletion), and a "
        "network whose weights are shuffled should show another map (randomisation):\n\n"
        + table(head, rows)
        + f"\nThe hottest first takes it down by {gap['value']:.2f} more than at random [{gap['low']:.2f}, "
        f"{gap['high']:.2f}], in {100 * found['better_than_random']:.0f} % of the {about.images}. Maps with shuffled "
        f"weights: rank correlation {found['correlation']:.2f}. {_said(found)}\n"
    )


def _said(found: dict[str, Any]) -> str:
    if found["gap"]["low"] <= 0:
        return "**So it is not shown that the hot places are what this answer rests on: do not rely on its heat map.**"
    if found["correlation"] >= ALIKE:
        return "**So much of this map is there without anything learnt: do not rely on it.**"
    return "So its hot places are, on the whole, what its answer rests on; a single map may still mislead."


def _mean(curve: list[float]) -> str:
    return f"{sum(curve[1:]) / (len(curve) - 1):.2f}"
