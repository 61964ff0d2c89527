"""The same files give the same numbers on another backend of Keras: in a process of its own, for Keras keeps one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
NAMES = ("house", "resnet50", "vgg16_bn", "cnn4", "cnn_attention", "attention")
SCRIPT = """
import sys, zlib
import numpy as np
from keras import ops
from ml_service import architectures

outputs = {}
for name in sys.argv[2:]:
    network = architectures.build(name, {"labels": 2} if name == "house" else {"labels": 2, "width": 0.125})
    for weight in network.weights:
        rng = np.random.default_rng(zlib.crc32(weight.path.encode()))
        spread = max(1, np.prod(weight.shape[:-1])) ** -0.5 if len(weight.shape) > 1 else 0.1
        middle = 1.0 if weight.path.endswith(("gamma", "variance")) else 0.0
        weight.assign((middle + spread * rng.standard_normal(weight.shape)).astype("float32"))
    images = np.random.default_rng(7).standard_normal((2, 64, 64, 1)).astype("float32")
    for output, values in network(images, training=False).items():
        outputs[f"{name} {output}"] = ops.convert_to_numpy(values)
np.savez(sys.argv[1], **outputs)
"""


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> "dict[str, dict[str, np.ndarray]]":
    found = {}
    for backend in ("tensorflow", "openvino"):
        path = tmp_path_factory.mktemp(backend) / "outputs.npz"
        environment = os.environ | {"KERAS_BACKEND": backend}
        subprocess.run([sys.executable, "-c", SCRIPT, path, *NAMES], cwd=ROOT, env=environment, check=True, timeout=240)
        with np.load(path) as arrays:
            found[backend] = dict(arrays)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_outputs_do_not_depend_on_the_backend(outputs: "dict[str, dict[str, np.ndarray]]", name: str) -> None:
    for output in ("logits", "features", "heat"):
        came, expected = (outputs[backend][f"{name} {output}"] for backend in ("openvino", "tensorflow"))
        np.testing.assert_allclose(came, expected, rtol=0, atol=1e-3 * expected.std())
