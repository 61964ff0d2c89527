"""What a version must refuse before it may be released. No test image is needed for that, so none is read."""

from collections.abc import Mapping, Sequence
from typing import Any

from ml_service.tasks.decode import Grey
from ml_service.training.judge import Judge

NOISE = 0.99  # share of random images
FOREIGN = 0.95  # share of the images of each other kind: photographs, other organs, other modalities
GOOD = 0.02  # share of plain validation images that may be refused


class BelowTheBar(ValueError):
    """A version answers about images that it knows nothing of, or refuses those that it is for."""


def shortfalls(judge: Judge, good: Sequence[Grey], foreign: Mapping[str, Sequence[Grey]]) -> dict[str, Any]:
    """Returns, for each set of images that misses the bar, the share refused and the share wanted."""
    wanted = {name: NOISE if name == "noise" else FOREIGN for name in foreign}
    shares = {name: judge.refusals(planes)["refused_share"] for name, planes in foreign.items()}
    missed = {
        name: {"refused": shares[name], "at_least": wanted[name]} for name in foreign if shares[name] < wanted[name]
    }
    kept_out = judge.refusals(good)["refused_share"]
    if kept_out > GOOD:
        missed["good images (validation)"] = {"refused": kept_out, "at_most": GOOD}
    return missed
