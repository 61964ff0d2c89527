"""The source systems' networks: exact sizes, narrow ones, and the contract that every network keeps."""

import ast
from math import prod
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from ml_service import architectures
from ml_service import manifest as manifests
from ml_service.settings import SHIPPED

FOLDER = Path(architectures.__file__).parent
# The widths that ship: a version of at most 5 MB in half precision, for any of our tasks.
NARROW: dict[str, dict[str, Any]] = {
    "resnet50": {"width": 0.25},
    "vgg16_bn": {"width": 0.125},
    "cnn4": {"width": 0.4},
    "cnn_attention": {"width": 0.6},
    "attention": {"width": 0.4},
}
TRUE = [(name, NARROW[name] | {"patches": "true"}) for name in ("cnn_attention", "attention")]
# Heat's places for an image of 96 pixels a side.
PLACES = {"resnet50": (3, 3), "vgg16_bn": (6, 6), "cnn4": (7, 7), "cnn_attention": (14, 14), "attention": (200, 2)}


def images(count: int, side: int = 96, channels: int = 1) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return np.random.default_rng(3).standard_normal((count, side, side, channels)).astype(np.float32)


def test_resnet50_is_that_of_keras_with_the_head_of_the_source_system() -> None:
    network = architectures.build("resnet50", {})
    assert network.count_params() == 24_180_353
    theirs = keras.applications.ResNet50(weights=None, include_top=False, pooling="avg", input_shape=(None, None, 3))
    for layer in theirs.layers:
        if layer.weights:
            network.get_layer(layer.name).set_weights(layer.get_weights())
    rgb = images(2, 64, channels=3)
    came = network(rgb, training=False)["features"].numpy()
    np.testing.assert_allclose(came, theirs(rgb, training=False).numpy(), rtol=1e-4, atol=1e-5)
    assert len(network.losses) == 2  # the head's L2


def test_the_narrow_networks_here_are_those_that_ship() -> None:
    """By their folders: other widths could fit where these do not."""
    found = [manifests.read(path.parent) for path in SHIPPED.glob(f"*-*/*/{manifests.FILE}") if is_narrow(path.parent)]
    assert {manifest.architecture for manifest in found} == set(NARROW)
    for manifest in found:
        params = {name: value for name, value in manifest.params.items() if name not in ("labels", "heat_of")}
        assert params == NARROW[manifest.architecture], manifest.name


def is_narrow(folder: Path) -> bool:
    return getattr(manifests.read_any(folder), "architecture", None) in NARROW


@pytest.mark.parametrize("name", sorted(NARROW))
@pytest.mark.parametrize("labels", [1, 4])
def test_a_narrow_network_fits_in_five_megabytes_and_keeps_the_contract(name: str, labels: int) -> None:
    network = architectures.build(name, NARROW[name] | {"labels": labels})
    assert sum(prod(weight.shape) for weight in network.weights) <= 2_500_000  # of two bytes
    for count in (1, 3):
        out = network(images(count), training=False)
        assert out["logits"].shape == (count, labels)
        assert out["features"].ndim == 2 and len(out["features"]) == count
        assert out["heat"].shape == (count, *PLACES[name], labels)
        assert all(tensor.dtype == "float32" for tensor in out.values())


@pytest.mark.parametrize("name", sorted(NARROW))
def test_every_weight_learns_in_training_precision(name: str) -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = architectures.build(name, {"width": 0.125, "labels": 2})
    finally:
        keras.config.set_dtype_policy("float32")
    with tf.GradientTape() as tape:
        out = network(images(4, 64), training=True)
        loss = tf.reduce_mean(
            keras.ops.categorical_crossentropy(np.eye(2)[[0, 1, 1, 0]], out["logits"], from_logits=True)
        )
    gradients = tape.gradient(loss, network.trainable_variables)
    assert all(gradient is not None and np.isfinite(gradient.numpy()).all() for gradient in gradients)
    assert out["logits"].dtype == out["heat"].dtype == tf.float32


@pytest.mark.parametrize("name", sorted(NARROW))
def test_a_grey_image_is_the_same_as_its_three_planes(name: str) -> None:
    network = architectures.build(name, {"width": 0.125, "channels": 3})
    grey = images(1, 64)
    colour = np.repeat(grey, 3, axis=-1)
    np.testing.assert_array_equal(network(grey)["logits"].numpy(), network(colour)["logits"].numpy())
    with pytest.raises(ValueError, match="Expected 1 or 3 channels"):
        network(grey.repeat(2, axis=-1))


@pytest.mark.parametrize(("name", "params"), TRUE, ids=["cnn_attention", "attention"])
def test_true_patches_are_another_network_of_the_same_size(name: str, params: dict[str, Any]) -> None:
    memory, true = architectures.build(name, NARROW[name]), architectures.build(name, params)
    true.set_weights(memory.get_weights())  # of the same shapes
    image = images(1)
    assert abs(true(image)["logits"] - memory(image)["logits"]).numpy().max() > 1e-4
    across = {"cnn_attention": 7, "attention": 20}[name]
    assert true(image)["heat"].shape == (1, across, across, 1)
    with pytest.raises(ValueError, match="Received: 'square'"):
        architectures.build(name, {"patches": "square"})


def test_networks_are_written_in_keras_alone() -> None:
    """So one file runs on TensorFlow, JAX, torch and OpenVINO."""
    for file in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= {"keras", "numpy", "typing", "importlib", "ml_service"}
