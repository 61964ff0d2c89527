"""What a task says about one image, and the two steps that every task shares."""

import math
from dataclasses import dataclass

from portal_wire.contract import NOT_ANSWERED, Finding, Notice


@dataclass(frozen=True)
class Verdict:
    """The model's part of portal_wire.contract.Result."""

    label: str
    findings: list[Finding]
    in_distribution: bool
    ood_score: float
    warnings: list[Notice]


def turned_away(ood_score: float, warnings: list[Notice]) -> Verdict:
    """Returns the verdict on an image that the model must not answer about: no label, no finding, a reason."""
    return Verdict(NOT_ANSWERED, [], in_distribution=False, ood_score=ood_score, warnings=warnings)


def sigmoid(x: float) -> float:
    """Returns 1 / (1 + exp(-x)). Raises ValueError for what is no number: it must never become a probability."""
    if math.isnan(x):
        raise ValueError("Expected a number from the network. Received: NaN")
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
