"""Learning from other networks' answers beside the labels (Hinton et al. 2015, https://arxiv.org/abs/1503.02531): what
several say of an image and of its mirror image, in one network that says it at the cost of one."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ml_service import architectures
from ml_service import manifest as manifests
from ml_service.architectures.layers.both_ways import BothWays
from ml_service.calibration import Floats, shares
from ml_service.manifest import WEIGHTS
from ml_service.tasks.film import Pixels
from ml_service.training.batches import Batch
from ml_service.training.recipes import Recipe, recorded
from ml_service.weights import load_into

SHARE = 0.5  # of each target; the labels have the rest
Teach = Callable[[Batch], Batch]


def teaching(folders: Sequence[Path], recipe: Recipe) -> Teach:
    """Returns what gives a batch its targets: SHARE of them the networks' mean answer. `folders` are of versions or of
    runs, at any image size. Raises ValueError for one of other classes than the recipe's."""
    networks = [_answering(folder, recipe) for folder in folders]

    def taught(batch: Batch) -> Batch:
        answers = np.mean([network(batch.films) for network in networks], axis=0)
        return Batch(batch.films, ((1 - SHARE) * batch.targets + SHARE * answers).astype(np.float32))

    return taught if networks else lambda batch: batch


def _answering(folder: Path, recipe: Recipe) -> Callable[[Pixels], Floats]:
    """Returns a trained network as films (B, n, n, 1) -> its probabilities of each class, (B, classes)."""
    told, side = _trained(folder)
    if told.classes != recipe.classes:
        raise ValueError(f"Expected a teacher of {', '.join(recipe.classes)}. Received: of {', '.join(told.classes)}")
    network: keras.Model = architectures.build(told.architecture, told.params)
    load_into(network, folder / WEIGHTS)
    both_ways = BothWays()

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def logits(films: tf.Tensor) -> tf.Tensor:
        seen = films if films.shape[1] == side else ops.image.resize(films, (side, side))
        return network(both_ways(seen), training=False)["logits"]

    def answers(films: Pixels) -> Floats:
        as_is, mirrored = np.split(shares(logits(tf.constant(films)).numpy()), 2)
        mean: Floats = (as_is + mirrored) / 2
        return mean

    return answers


def _trained(folder: Path) -> tuple[Recipe, int]:
    """Returns how the network of a version or of a run was trained, and the image size it reads."""
    if (folder / manifests.FILE).exists():
        manifest = manifests.read(folder)
        return recorded(manifest.training["config"]), manifest.side
    recipe = recorded(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    return recipe, recipe.side
