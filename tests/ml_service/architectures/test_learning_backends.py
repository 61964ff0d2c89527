"""One step of gradient descent is the same on every backend of Keras that trains. JAX lies in an environment of its
own, torch is in no lock file: where one is not installed, its test says so and is skipped. Each runs in a process of
its own, for Keras keeps one."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
WITH_JAX = ROOT / ".venv" / "checks" / "bin" / "python"
CLASSIFIERS = ("house", "resnet50", "vgg16_bn", "cnn4", "cnn_attention", "attention")
# Parameters and which output is learnt from; small, for every one of them goes through every backend.
LEARNING: list[tuple[str, dict[str, object], str]] = [
    *((name, {"labels": 1} | ({} if name == "house" else {"width": 0.125}), "logits") for name in CLASSIFIERS),
    ("unet2d", {"widths": [8, 16]}, "heat"),
]
# These learn nothing, by mathematics: batch normalisation takes away again what is added before it (Ioffe and Szegedy
# 2015, section 3.2), and softmax what is added to all scores of a row. What comes is rounding.
TAKEN_AWAY = re.compile(
    r"(resnet50|vgg16_bn|cnn4|cnn_attention) .*conv\d?/bias|resnet50 head/dense\d/bias|.*attention head/key/bias"
)
# Of a weight's largest gradient. Fifty layers, each normalised over four small images, enlarge what rounding differs
# by: here and there a rectifier lets through on one backend what it holds back on the other.
CLOSE = {"resnet50": 0.1}
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
    losses.append(float(network.train_on_batch(images, {output: targets})))
    found[f"{name} losses"] = np.array(losses)
np.savez(sys.argv[1], **found)
"""


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> "Callable[[str], dict[str, np.ndarray]]":
    """Gives what one step on a backend changes, and the losses; each backend is asked once."""

    @cache
    def of(backend: str) -> "dict[str, np.ndarray]":
        path = tmp_path_factory.mktemp(backend) / "step.npz"
        # JAX's environment has no Keras: it finds this one's.
        environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": sysconfig.get_path("purelib")}
        python = WITH_JAX if backend == "jax" else sys.executable
        command = [python, "-c", STEP, path, json.dumps(LEARNING)]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=240)
        with np.load(path) as arrays:
            return dict(arrays)

    return of


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_a_network_learns_the_same_on_every_backend_that_trains(
    steps: "Callable[[str], dict[str, np.ndarray]]", backend: str
) -> None:
    if backend == "jax" and not WITH_JAX.exists():
        pytest.skip("jax is not installed (make .venv/checks/complete)")
    if backend == "torch" and importlib.util.find_spec(backend) is None:
        pytest.skip("torch is not installed; it is in no lock file (pip install torch)")
    came, expected = steps(backend), steps("tensorflow")
    assert came.keys() == expected.keys()
    for name, _, _ in LEARNING:
        before, after = came[f"{name} losses"]
        assert after < before, name
        np.testing.assert_allclose(before, expected[f"{name} losses"][0], rtol=1e-4, err_msg=name)
    for key in (key for key in came if not key.endswith("losses")):
        if TAKEN_AWAY.fullmatch(key):
            np.testing.assert_allclose(came[key], 0, atol=1e-3, err_msg=key)
            continue
        largest = np.abs(expected[key]).max()
        assert largest > 0, key
        close = CLOSE.get(key.split()[0], 3e-3)
        rounding = 3e-5  # of the weight itself, which the step is read from
        np.testing.assert_allclose(came[key], expected[key], rtol=0, atol=close * largest + rounding, err_msg=key)
