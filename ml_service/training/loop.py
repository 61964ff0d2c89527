"""One training step, the averaged weights, and the state that a stopped run goes on from."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from ml_service.tasks.film import Pixels
from ml_service.training.batches import Batch
from ml_service.training.recipes import Recipe


class Learner:
    """A network, its optimiser, and a moving average of the weights (which is what is kept)."""

    def __init__(self, network: keras.Model, recipe: Recipe, class_weights: NDArray[np.float32]) -> None:
        self.network = network
        self.recipe = recipe
        self.class_weights = tf.constant(class_weights)
        self.optimizer = keras.optimizers.AdamW(1e-3, weight_decay=recipe.weight_decay, global_clipnorm=5.0)
        self.optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        self.optimizer.build(network.trainable_variables)
        self.averages = [tf.Variable(weight.value, trainable=False) for weight in network.weights]
        self._step = tf.function(self._one_step, reduce_retracing=True)
        self._forward = tf.function(lambda films: network(films, training=False)["logits"], reduce_retracing=True)

    def step(self, batch: Batch, learning_rate: float) -> float:
        """Learns from one batch and returns its loss."""
        self.optimizer.learning_rate = learning_rate
        return float(self._step(tf.constant(batch.films), tf.constant(batch.targets)))

    def _one_step(self, films: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        smooth = self.recipe.label_smoothing
        weights = tf.linalg.matvec(targets, self.class_weights)  # (B,)
        smoothed = targets * (1 - smooth) + smooth / len(self.recipe.classes)  # (B, classes)
        with tf.GradientTape() as tape:
            logits = ops.cast(self.network(films, training=True)["logits"], "float32")
            if logits.shape[-1] == 1:  # one logit: the second class against the first
                losses = ops.binary_crossentropy(smoothed[:, 1], logits[:, 0], from_logits=True)
            else:
                losses = ops.categorical_crossentropy(smoothed, logits, from_logits=True)
            loss = ops.mean(losses * weights) + sum(self.network.losses)  # penalties on weights, if it has any
        variables = self.network.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        # Early averages would remember the random start, so the momentum grows with the steps.
        step = tf.cast(self.optimizer.iterations, tf.float32)
        keep = tf.minimum(self.recipe.ema, (1 + step) / (10 + step))
        for average, weight in zip(self.averages, self.network.weights, strict=True):
            average.assign(keep * average + (1 - keep) * weight.value)
        return loss

    def averaged_logits(self, films: Pixels, batch: int = 64) -> NDArray[np.float32]:
        """Returns the averaged network's logits, (n, labels)."""
        learning = [weight.numpy() for weight in self.network.weights]
        self.network.set_weights([average.numpy() for average in self.averages])
        parts = [self._forward(films[at : at + batch]).numpy() for at in range(0, len(films), batch)]
        self.network.set_weights(learning)
        return np.concatenate(parts)

    def averaged_weights(self) -> dict[str, NDArray[np.float32]]:
        """Returns the averaged weights by their path in the network."""
        paths = [weight.path for weight in self.network.weights]
        return {path: average.numpy() for path, average in zip(paths, self.averages, strict=True)}

    def save(self, path: Path, epoch: int) -> None:
        """Writes everything that `restore` needs; a crash leaves the previous file."""
        arrays = {f"{index:04d}": np.asarray(value) for index, value in enumerate(self._state())}
        part = path.with_suffix(".part.npz")
        np.savez(part, epoch=epoch, **arrays)  # type: ignore[arg-type]
        part.replace(path)

    def restore(self, path: Path) -> int:
        """Takes up a saved state and returns its epoch."""
        with np.load(path, allow_pickle=False) as saved:
            for index, variable in enumerate(self._state()):
                variable.assign(saved[f"{index:04d}"])
            return int(saved["epoch"])

    def _state(self) -> list[tf.Variable]:
        """Network (with its dropout seed), optimiser and averages."""
        return [*self.network.variables, *self.optimizer.variables, *self.averages]
