"""The printed network: counts that can be worked out by hand, and those of the shipped networks."""

from pathlib import Path

import keras
import pytest
from keras import layers

from ml_service import manifest as manifests
from ml_service.describe import describe, rows_of
from ml_service.settings import SHIPPED

FOLDERS = sorted(path.parent for path in SHIPPED.glob(f"*/*/{manifests.FILE}"))
VERSIONS = [folder for folder in FOLDERS if isinstance(manifests.read_any(folder), manifests.Manifest)]


def test_each_layer_has_its_shape_its_parameters_and_its_cost() -> None:
    image = keras.Input((None, None, 3))
    maps = layers.Conv2D(8, 3, strides=2, padding="same", name="conv")(image)
    maps = layers.BatchNormalization(name="norm")(maps)
    maps = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise")(maps)
    pooled = layers.GlobalAveragePooling2D(name="pool")(maps)
    network = keras.Model(image, {"logits": layers.Dense(2, name="dense")(pooled)})
    rows = {row.name: row for row in rows_of(network, (32, 32, 3))}
    assert [(row.output, row.parameters, row.multiply_adds) for row in rows.values()] == [
        ((16, 16, 8), 3 * 3 * 3 * 8 + 8, 16 * 16 * 3 * 3 * 3 * 8),
        ((16, 16, 8), 16, 0),  # scale and shift are learnt; running mean and variance are not
        ((16, 16, 8), 3 * 3 * 8, 16 * 16 * 3 * 3 * 8),
        ((8,), 0, 0),
        ((2,), 8 * 2 + 2, 8 * 2),
    ]
    assert list(rows) == ["conv", "norm", "depthwise", "pool", "dense"]


def test_products_of_tensors_cost_what_they_multiply() -> None:
    words = keras.Input((10, 4))
    scores = keras.ops.matmul(words, keras.ops.transpose(words, (0, 2, 1)))  # (10, 10)
    network = keras.Model(words, keras.ops.einsum("bij,bjc->bic", scores, words))
    costs = {row.kind: row.multiply_adds for row in rows_of(network, (10, 4))}
    assert costs == {"Transpose": 0, "Matmul": 10 * 10 * 4, "Einsum": 10 * 10 * 4}


@pytest.mark.parametrize("folder", VERSIONS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_the_parameters_are_those_of_the_manifest(folder: Path) -> None:
    manifest = manifests.read(folder)
    table = describe(manifest)
    assert table["parameters"] == manifest.parameters
    assert table["input"] == (manifest.side, manifest.side, table["input"][2])
    assert table["multiply_adds"] > table["parameters"]
