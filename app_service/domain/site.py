"""A site's own calibration of one version, and what reviewed answers tell about the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from portal_wire.contract import Model, Result

Untold = Literal["unsure", "not_answered", "class_not_named", "without_logits"]


@dataclass(frozen=True)
class SiteCalibration:
    """The one in force. `parameters` are the ML tier's, which alone reads them."""

    id: str
    parameters: dict[str, Any]
    n: int
    at: datetime

    def told(self) -> dict[str, str | int]:
        """What a result says of it."""
        return {"id": self.id, "n": self.n, "at": self.at.isoformat()}


@dataclass(frozen=True)
class Case:
    """An image whose class is known: what the network gave, the number of the class, and whose image it is."""

    logits: list[float]
    number: int
    patient: str


def classes_of(model: Model) -> list[str]:
    """Every class in order, the negative one first; a binary model's labels name its finding only."""
    negative = model.negative_label
    return model.labels if negative is None or negative in model.labels else [negative, *model.labels]


def truth(result: Result, verdict: str, named: Sequence[str] | None, classes: Sequence[str]) -> str | Untold:
    """The class that a review says an image has, or why it says none.

    A label that the reviewer named counts before anything else. Who disagrees with one of two classes means the other;
    with one of more, the reviewer must name it. Agreement with "uncertain" or with no answer names no class.
    """
    if verdict == "unsure":
        return "unsure"
    if result.logits is None:
        return "without_logits" if result.in_distribution else "not_answered"
    if named and len(named) == 1 and named[0] in classes:
        return named[0]
    if result.label not in classes:
        return "not_answered"
    if verdict == "agree":
        return result.label
    others = [name for name in classes if name != result.label]
    return others[0] if len(others) == 1 else "class_not_named"
