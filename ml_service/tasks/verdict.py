"""What a model says about one image, by rules that hold for every classifier: in doubt it says nothing."""

from dataclasses import dataclass

import numpy as np

from ml_service.calibration import Floats, calibrated, decided, uncertain
from ml_service.manifest import Manifest
from ml_service.tasks.decode import Grey
from ml_service.tasks.quality import is_blank, remarks
from portal_wire.contract import NOT_ANSWERED, UNCERTAIN, Finding, Notice

BLANK = Notice(code="blank_image", detail="The image is blank: nearly one grey level throughout.")


@dataclass(frozen=True)
class Verdict:
    """The model's part of portal_wire.contract.Result. `shown` is the heat map that explains the answer: an index
    into the network's last axis."""

    label: str
    findings: list[Finding]
    in_distribution: bool
    ood_score: float
    warnings: list[Notice]
    shown: int = 0


def turned_away(ood_score: float, warnings: list[Notice]) -> Verdict:
    """Returns the verdict on an image that the model must not answer about: no label, no finding, a reason."""
    return Verdict(NOT_ANSWERED, [], in_distribution=False, ood_score=ood_score, warnings=warnings)


def judged(logits: Floats, ood_score: float, plane: Grey | None, manifest: Manifest, strange: str) -> Verdict:
    """Returns the verdict on one image.

    Args:
        logits: what the network gave, (labels,).
        ood_score: how unlike the training images it is; above the threshold there is no answer.
        plane: the image as it came, or None when only prepared pixels came.
        strange: code of the warning on an image that is none of the task's.

    Raises ValueError when a logit is no number: it must never become a probability.
    """
    if plane is not None and is_blank(plane):
        return turned_away(ood_score, [BLANK])
    if not ood_score <= manifest.typical.threshold:  # a score that is no number is refused as well
        detail = f"This does not look like {manifest.subject}."
        return turned_away(ood_score, [Notice(code=strange, detail=detail)])
    if np.isnan(logits).any():
        raise ValueError("Expected numbers from the network. Received: NaN")
    probabilities = calibrated(np.asarray(logits)[np.newaxis], manifest.calibration)  # (1, classes)
    chosen = int(decided(probabilities, manifest.calibration)[0])
    findings = _findings(probabilities[0], manifest)
    unsure = bool(uncertain(probabilities, manifest.calibration)[0])
    return Verdict(
        label=UNCERTAIN if unsure else manifest.classes[chosen],
        findings=findings,
        in_distribution=True,
        ood_score=ood_score,
        warnings=remarks(plane) if plane is not None else [],
        shown=_explained(findings),
    )


def _findings(probabilities: Floats, manifest: Manifest) -> list[Finding]:
    """One finding a label, each with its own probability; the negative label has no operating point."""
    cut = manifest.calibration.operating_point
    return [
        Finding(label=name, probability=float(p), threshold=None, positive=False)
        if name == manifest.negative_label
        else Finding(label=name, probability=float(p), threshold=cut, positive=bool(p >= cut))
        for name, p in zip(manifest.classes, probabilities, strict=True)
        if name in manifest.labels
    ]


def _explained(findings: list[Finding]) -> int:
    """Returns the most probable finding that is no negative label: on a healthy image its map stays dark, which is
    what a reader wants to see there."""
    ranked = [(found.probability, index) for index, found in enumerate(findings) if found.threshold is not None]
    return max(ranked)[1]
