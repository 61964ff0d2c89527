"""What every release takes from a run folder."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from ml_service import manifest as manifests
from ml_service.manifest import Golden, GoldenCase
from ml_service.weights import save_half

# Until a version's golden images are made.
NO_GOLDEN = Golden(tolerance=1, cases=(GoldenCase(file="-", label="-", probability=None, ood_score=0),))
_MOVING = ("moving_mean", "moving_variance")


def take_weights(run: Path, folder: Path) -> None:
    """Puts a run's weights into a version's folder, in half precision."""
    with np.load(run / "weights.npz", allow_pickle=False) as learnt:
        save_half({name: learnt[name] for name in learnt.files}, folder / manifests.WEIGHTS)


def parameters(folder: Path) -> int:
    """Returns how many numbers a version's network learnt; running means and variances are not learnt."""
    with np.load(folder / manifests.WEIGHTS, allow_pickle=False) as stored:
        return sum(stored[name].size for name in stored.files if not name.endswith(_MOVING))


def record(run: Path) -> dict[str, Any]:
    """Returns a run's configuration and machine."""
    return {name: json.loads((run / f"{name}.json").read_text(encoding="utf-8")) for name in ("config", "environment")}
