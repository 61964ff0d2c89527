"""An imported segmentation network on disk: its weights, and a description that says how to build and to ask it."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ml_service.importers.checkpoint import Array
from ml_service.sliding_window.plan import Plan

DESCRIPTION = "volume.json"
WEIGHTS = "weights.npz"


class Imported(NamedTuple):
    """A network with its weights."""

    architecture: str  # for architectures.build
    params: dict[str, Any]
    labels: tuple[str, ...]  # in the order of the outputs
    plan: Plan
    weights: dict[str, Array]  # by path in the network


def save(model: Imported, folder: Path) -> None:
    """Writes the model's two files. Raises FileExistsError rather than overwrite another's."""
    folder.mkdir(parents=True)
    np.savez(folder / WEIGHTS, **model.weights)  # type: ignore[arg-type]
    description = {
        "architecture": model.architecture,
        "params": model.params,
        "labels": model.labels,
        "plan": model.plan.model_dump(mode="json"),
    }
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n")


def load(folder: Path) -> Imported:
    """Returns the model of a folder. Raises ValueError for a description that is not of this kind."""
    described = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    with np.load(folder / WEIGHTS, allow_pickle=False) as arrays:
        return Imported(
            described["architecture"],
            described["params"],
            tuple(described["labels"]),
            Plan.model_validate(described["plan"]),
            dict(arrays),
        )
