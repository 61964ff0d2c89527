"""A version or a run from disk, ready to be run over whole sets of images."""

import json
from pathlib import Path

from ml_service import manifest as manifests
from ml_service import tasks
from ml_service.engines.tensorflow import Network
from ml_service.refusal import Refusal
from ml_service.training import facts
from ml_service.training.judge import Judge
from ml_service.training.recipes import Recipe, recorded
from ml_service.training.release import drafted, fitted, training_facts


def version(folder: Path) -> tuple[Judge, tuple[str, ...]]:
    """Returns a released version and the labels, in labels.csv, of its classes in order."""
    manifest = manifests.read(folder)
    judge = Judge(Network(manifest, folder), tasks.load(manifest.task), manifest, Refusal.load(folder, manifest))
    return judge, tuple(manifest.training["config"]["classes"])


def run(folder: Path, data: Path) -> tuple[Judge, tuple[str, ...]]:
    """Returns a trained run, fitted as a release of it would be to training and validation images of `data`, and its
    classes' labels."""
    recipe: Recipe = recorded(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    draft = drafted(recipe, facts.FACTS[recipe.task], folder, recipe.side, training_facts(folder, data))
    return fitted(Network(draft, folder), draft, recipe, data), recipe.classes
