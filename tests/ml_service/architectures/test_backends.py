"""The same files give the same numbers on another backend of Keras: in a process of its own, for Keras keeps one."""

import json
import os
import subprocess
import sys
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
    ("house", {"labels": 2, "mirrored": True}, [2, 64, 96, 1]),
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
NAMES = [f"{name}{', mirrored' if 'mirrored' in params else ''}" for name, params, _ in CASES]
SCRIPT = """
import json, sys, zlib
import numpy as np
from keras import ops
from ml_service import architectures

outputs = {}
for number, (name, params, shape) in enumerate(json.loads(sys.argv[2])):
    network = architectures.build(name, params)
    for weight in network.weights:
        rng = np.random.default_rng(zlib.crc32(weight.path.encode()))
        spread = max(1, np.prod(weight.shape[:-1])) ** -0.5 if len(weight.shape) > 1 else 0.1
        middle = 1.0 if weight.path.endswith(("gamma", "variance")) else 0.0
        weight.assign((middle + spread * rng.standard_normal(weight.shape)).astype("float32"))
    images = np.random.default_rng(7).standard_normal(shape).astype("float32")
    for output, values in network(images, training=False).items():
        outputs[f"{number} {output}"] = ops.convert_to_numpy(values)
np.savez(sys.argv[1], **outputs)
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
    found = [key for key in outputs["tensorflow"] if key.startswith(f"{NAMES.index(name)} ")]
    assert found
    for output in found:
        came, expected = (outputs[backend][output] for backend in ("openvino", "tensorflow"))
        np.testing.assert_allclose(came, expected, rtol=0, atol=1e-3 * expected.std())
