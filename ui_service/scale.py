"""Where things stand on the drawn probability scale. Numbers only; the templates draw."""

from dataclasses import dataclass

from portal_wire.contract import Finding, Result
from ui_service import words

WIDTH = 360.0  # of the drawing, in its own units; the page stretches it
_TEXT_MARGIN = 20.0


@dataclass(frozen=True)
class Scale:
    """Positions from 0 to WIDTH. `band` is None where the model knows no uncertain band."""

    value: float
    value_text: float
    threshold: float | None
    threshold_text: float | None
    band: tuple[float, float] | None
    spoken: str


def of(finding: Finding, result: Result) -> Scale:
    """The scale of one finding: its own probability, its operating point and the uncertain band."""
    value = finding.probability * WIDTH
    threshold = None if finding.threshold is None else finding.threshold * WIDTH
    band = (result.uncertain_band[0] * WIDTH, result.uncertain_band[1] * WIDTH) if result.uncertain_band else None
    spoken = f"Probability of {words.noun(finding.label)}: {words.probability(finding.probability)}."
    if finding.threshold is not None:
        spoken += f" Operating point {finding.threshold:.2f}."
    if result.uncertain_band:
        spoken += f" Uncertain from {result.uncertain_band[0]:.2f} to {result.uncertain_band[1]:.2f}."
    return Scale(value, _inside(value, _TEXT_MARGIN), threshold, _threshold_text(threshold), band, spoken)


def _threshold_text(threshold: float | None) -> float | None:
    return None if threshold is None else _inside(threshold, 3 * _TEXT_MARGIN)


def _inside(position: float, margin: float) -> float:
    return min(max(position, margin), WIDTH - margin)
