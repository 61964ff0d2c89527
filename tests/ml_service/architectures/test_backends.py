"""The same files give the same numbers, and learn the same, on another backend of Keras: in a process of its own, for
Keras keeps one. JAX and torch are in no lock file: where one is not installed, its test says so and is skipped."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
CLASSIFIERS = ("house", "resnet50", "vgg16_bn", "cnn4", "cnn_attention", "attention")
# Name, parameters, an input's shape.
CASES: list[tuple[str, dict[str, object], list[int]]] = [
    *(
        (name, {"labels": 2} if name == "house" else {"labels": 2, "width": 0.125}, [2, 64, 64, 1])
        for name in CLASSIFIERS
    ),
    ("unet2d", {"widths": [8, 16, 16]}, [2, 32, 48, 1]),
    ("unet3d", {"widths": [16, 32], "head": "text", "labels": 3}, [2, 8, 8, 12, 1]),
    ("segresnet", {"width": 8, "labels": 3}, [1, 8, 8, 16, 1]),
    ("monai_unet", {"widths": [4, 8, 16]}, [1, 8, 12, 8, 1]),
    (
        "swin_unetr",
        {"width": 12, "sizes": [32, 32, 64], "heads": [1, 1, 2, 2], "attention_window": 4},
        [1, 32, 32, 64, 1],
    ),
]
# Parameters and which output is learnt from; small, for every one of them goes through every backend.
LEARNING: list[tuple[str, dict[str, object], str]] = [
    *((name, {"labels": 1} | ({} if name == "house" else {"width": 0.125}), "logits") for name in CLASSIFIERS),
    ("unet2d", {"widths": [8, 16]}, "heat"),
]
NAMES = [name for name, _, _ in CASES]
SCRIPT = """
import json, sys, zlib
import numpy as np
from keras import ops
from ml_service import architectures

outputs = {}
for name, params, shape in json.loads(sys.argv[2]):
    network = architectures.build(name, params)
    for weight in network.weights:
        rng = np.random.default_rng(zlib.crc32(weight.path.encode()))
        spread = max(1, np.prod(weight.shape[:-1])) ** -0.5 if len(weight.shape) > 1 else 0.1
        middle = 1.0 if weight.path.endswith(("gamma", "variance")) else 0.0
        weight.assign((middle + spread * rng.standard_normal(weight.shape)).astype("float32"))
    images = np.random.default_rng(7).standard_normal(shape).astype("float32")
    for output, values in network(images, training=False).items():
        outputs[f"{name} {output}"] = ops.convert_to_numpy(values)
np.savez(sys.argv[1], **outputs)
"""
# One step of plain gradient descent, whose size is the gradient. Dropout is off: backends draw differently.
STEP = """
import json, sys, zlib
import keras
import numpy as np
from ml_service import architectures

found = {}
for name, params, output in json.loads(sys.argv[2]):
    network = architectures.build(name, params)
    for layer in network._flatten_layers():
        if isinstance(layer, (keras.layers.Dropout, keras.layers.SpatialDropout2D)):
            layer.rate = 0.0
    for weight in network.weights:
        rng = np.random.default_rng(zlib.crc32(weight.path.encode()))
        spread = max(1, np.prod(weight.shape[:-1])) ** -0.5 if len(weight.shape) > 1 else 0.1
        middle = 1.0 if weight.path.endswith(("gamma", "variance")) else 0.0
        weight.assign((middle + spread * rng.standard_normal(weight.shape)).astype("float32"))
    before = [np.array(weight) for weight in network.get_weights()]
    images = np.random.default_rng(7).standard_normal((4, 64, 64, 1)).astype("float32")
    targets = (images > 0 if output == "heat" else np.array([[0], [1], [1], [0]])).astype("float32")
    loss = {output: keras.losses.BinaryCrossentropy(from_logits=True)}
    network.compile(keras.optimizers.SGD(1e-3), loss=loss, jit_compile=False)
    losses = [float(network.train_on_batch(images, {output: targets}))]
    for weight, was, now in zip(network.weights, before, network.get_weights()):
        if weight.trainable:
            found[f"{name} {weight.path}"] = (was - now) / 1e-3
    losses += [float(network.train_on_batch(images, {output: targets})) for _ in range(2)]
    found[f"{name} losses"] = np.array(losses)
np.savez(sys.argv[1], **found)
"""


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> "dict[str, dict[str, np.ndarray]]":
    found = {}
    for backend in ("tensorflow", "openvino"):
        path = tmp_path_factory.mktemp(backend) / "outputs.npz"
        environment = os.environ | {"KERAS_BACKEND": backend}
        subprocess.run(
            [sys.executable, "-c", SCRIPT, path, json.dumps(CASES)], cwd=ROOT, env=environment, check=True, timeout=240
        )
        with np.load(path) as arrays:
            found[backend] = dict(arrays)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_outputs_do_not_depend_on_the_backend(outputs: "dict[str, dict[str, np.ndarray]]", name: str) -> None:
    for output in (key for key in outputs["tensorflow"] if key.startswith(f"{name} ")):
        came, expected = (outputs[backend][output] for backend in ("openvino", "tensorflow"))
        np.testing.assert_allclose(came, expected, rtol=0, atol=1e-3 * expected.std())


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> "Callable[[str], dict[str, np.ndarray]]":
    """Gives what one step on a backend changes, and the losses; each backend is asked once."""

    @cache
    def of(backend: str) -> "dict[str, np.ndarray]":
        path = tmp_path_factory.mktemp(backend) / "step.npz"
        environment = os.environ | {"KERAS_BACKEND": backend}
        command = [sys.executable, "-c", STEP, path, json.dumps(LEARNING)]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=240)
        with np.load(path) as arrays:
            return dict(arrays)

    return of


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_a_network_learns_the_same_on_every_backend_that_trains(
    steps: "Callable[[str], dict[str, np.ndarray]]", backend: str
) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed; it is in no lock file (pip install {backend})")
    came, expected = steps(backend), steps("tensorflow")
    assert came.keys() == expected.keys()
    for name, _, _ in LEARNING:
        losses = came[f"{name} losses"]
        assert losses[2] < losses[0], name
        np.testing.assert_allclose(losses, expected[f"{name} losses"], rtol=1e-3, err_msg=name)
    for key in (key for key in came if not key.endswith("losses")):
        assert np.isfinite(came[key]).all() and came[key].any(), key
        np.testing.assert_allclose(
            came[key], expected[key], rtol=0, atol=2e-3 * np.abs(expected[key]).max(), err_msg=key
        )
