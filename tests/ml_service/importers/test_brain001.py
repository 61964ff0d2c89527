"""Imported networks give the original modules' outputs; what does not fit is refused by name."""

import json
import zlib
from math import prod, sqrt
from pathlib import Path

import numpy as np
import pytest

from ml_service import architectures
from ml_service.importers import brain001
from ml_service.importers.checkpoint import Array

FIXTURES = Path(__file__).parent / "fixtures"
LEARNT = {"cnn4": 5_883_330, "cnn_attention": 1_624_386, "attention": 1_614_338, "vgg16_bn": 134_277_186}


def tensor(name: str, shape: tuple[int, ...]) -> Array:
    """The same numbers as the original had when its outputs were written down."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    if name.endswith("running_var"):
        return (0.5 + rng.random(shape)).astype(np.float32)
    if len(shape) >= 2:
        return (rng.standard_normal(shape) / sqrt(prod(shape[1:]))).astype(np.float32)
    scale = 1 if name.endswith("weight") else 0
    return (scale + 0.1 * rng.standard_normal(shape)).astype(np.float32)


def checkpoint(architecture: str) -> dict[str, Array]:
    listed = json.loads((FIXTURES / f"{architecture}.json").read_text())["tensors"]
    return {name: tensor(name, tuple(shape)) for name, shape in listed}


@pytest.mark.parametrize("architecture", sorted(LEARNT))
def test_the_outputs_are_those_of_the_original_module(architecture: str) -> None:
    arrays = brain001.weights(checkpoint(architecture), architecture)
    network = architectures.build(architecture, {"labels": 2})
    assert sum(prod(weight.shape) for weight in network.trainable_weights) == LEARNT[architecture]
    assert {weight.path for weight in network.weights} == arrays.keys()
    for weight in network.weights:
        weight.assign(arrays[weight.path])
    images = np.random.default_rng(0).random((2, 3, 224, 224), np.float32) * 2 - 1
    came = network(images.transpose(0, 2, 3, 1), training=False)["logits"].numpy()
    with np.load(FIXTURES / f"{architecture}.npz") as reference:
        expected = reference["logits"]
    assert np.abs(came - expected).max() <= 1e-4 * expected.std()


def test_neither_order_nor_the_prefix_of_several_gpus_matters() -> None:
    tensors = checkpoint("attention")
    plain = brain001.weights(tensors, "attention")
    turned = brain001.weights({f"module.{name}": tensors[name] for name in reversed(tensors)}, "attention")
    assert plain.keys() == turned.keys()
    assert all(np.array_equal(plain[name], turned[name]) for name in plain)


def test_every_tensor_that_does_not_fit_is_named() -> None:
    tensors = checkpoint("attention")
    del tensors["sa.W_q.bias"]
    tensors["sa.W_q.scale"] = np.zeros(3, np.float32)
    tensors["fc.0.weight"] = tensors["fc.0.weight"][:1]
    with pytest.raises(ValueError, match="Received: ") as refusal:
        brain001.weights(tensors, "attention")
    said = str(refusal.value)
    assert "sa.W_q.bias is missing" in said
    assert "sa.W_q.scale is unknown" in said
    assert "fc.0.weight is (1, 204800) instead of (2, 204800)" in said


def test_another_networks_checkpoint_is_refused() -> None:
    with pytest.raises(ValueError, match=r"layer1\.0\.weight is missing"):
        brain001.weights(checkpoint("attention"), "cnn_attention")
