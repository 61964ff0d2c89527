"""A site calibration's evidence as lines of a table and positions in a drawing. Numbers only; the templates draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

SIDE = 240.0  # of the drawing, in its own units; the page stretches it
_SCORES = {
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ece": "Calibration error (ECE)",
    "brier": "Brier score",
    "uncertain_share": "Called uncertain",
}
_LEFT_OUT = {
    "unsure": "where the reviewer was unsure",
    "not_answered": "where the model named no class and nor did the reviewer",
    "class_not_named": "where the reviewer disagreed without naming one of several classes",
    "without_logits": "from before raw scores were kept",
    "reviewed_again": "of images that were reviewed again later",
    "refused": "that the model refused",
    "unreadable": "that could not be read",
}


@dataclass(frozen=True)
class Line:
    """One score with the shipped values and with the site's own."""

    name: str
    before: str
    after: str
    worse: bool


@dataclass(frozen=True)
class Dot:
    """A bin of the reliability diagram; its radius grows with its share of the images."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Evidence:
    """What a page shows of a fit. `worse` names scores in words; confusions have the truth in rows."""

    n: int
    patients: int
    folds: int
    classes: list[str]
    lines: list[Line]
    worse: list[str]
    before: list[Dot]
    after: list[Dot]
    confusions: list[tuple[str, list[list[int]]]]
    by_chance: tuple[float, float] | None  # calibration error of honest probabilities: mean, rarely more than
    spoken: str


def evidence(fit: Mapping[str, Any]) -> Evidence:
    """The evidence of a fit as App's OpenAPI document describes it."""
    found = fit["evidence"]
    before, after = found["before"], found["after"]
    lines = [_line(key, before[key], after[key], key in found["worse"]) for key in _SCORES]
    spoken = f"Reliability. Calibration error {before['ece']:.3f} as shipped, {after['ece']:.3f} fitted to this site."
    return Evidence(
        n=found["n"],
        patients=found["patients"],
        folds=found["folds"],
        classes=list(found["classes"]),
        lines=lines,
        worse=[line.name for line in lines if line.worse],
        before=_dots(before["reliability"]),
        after=_dots(after["reliability"]),
        confusions=[("As shipped", before["confusion"]), ("Fitted to this site", after["confusion"])],
        by_chance=(chance["mean"], chance["high"]) if (chance := found.get("ece_by_chance")) else None,
        spoken=spoken,
    )


def in_force(state: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The fit that answers use now; None: the shipped values."""
    return next((fit for fit in state["fits"] if fit["in_force"]), None)


def shown(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The fits that are shown in full: the newest, and the one in force."""
    return [fit for number, fit in enumerate(state["fits"]) if number == 0 or fit["in_force"]]


def date(fit: Mapping[str, Any]) -> str:
    """The day of a fit, as 2026-11-21."""
    return f"{datetime.fromisoformat(fit['created_at']):%Y-%m-%d}"


def counted(numbers: Mapping[str, int]) -> str:
    """`normal 12, pneumonia 40`."""
    return ", ".join(f"{name.replace('_', ' ')} {number:,}" for name, number in numbers.items())


def left_out(numbers: Mapping[str, int]) -> list[str]:
    """Why reviews do not count, each with how many."""
    return [f"{number:,} {_LEFT_OUT.get(reason, reason)}" for reason, number in numbers.items() if number]


def hard_ones(numbers: Mapping[str, int]) -> bool:
    """Whether cases were left out that would have counted had the reviewer named the class."""
    return any(numbers.get(reason) for reason in ("not_answered", "class_not_named"))


def _line(key: str, before: Any, after: Any, worse: bool) -> Line:
    return Line(_SCORES[key], _text(before), _text(after), worse)


def _text(score: Any) -> str:
    if isinstance(score, Mapping):
        return f"{score['value']:.3f} ({score['low']:.3f} to {score['high']:.3f})"
    return f"{score:.3f}"


def _dots(bins: Sequence[Mapping[str, float]]) -> list[Dot]:
    return [Dot(SIDE * b["said"], SIDE * (1 - b["came"]), 3 + 12 * b["share"] ** 0.5) for b in bins]
