"""Imported networks give the original modules' outputs; what does not fit is refused by name."""

from math import prod

import numpy as np
import pytest

from ml_service import architectures
from ml_service.importers import brain001
from tests.ml_service.importers.parity import agree, checkpoint, filled, outputs

LEARNT = {"cnn4": 5_883_330, "cnn_attention": 1_624_386, "attention": 1_614_338, "vgg16_bn": 134_277_186}


@pytest.mark.parametrize("architecture", sorted(LEARNT))
def test_the_outputs_are_those_of_the_original_module(architecture: str) -> None:
    arrays = brain001.weights(checkpoint(architecture), architecture)
    network = architectures.build(architecture, {"labels": 2})
    assert sum(prod(weight.shape) for weight in network.trainable_weights) == LEARNT[architecture]
    filled(network, arrays)
    images = np.random.default_rng(0).random((2, 3, 224, 224), np.float32) * 2 - 1
    came = network(images.transpose(0, 2, 3, 1), training=False)["logits"].numpy()
    assert agree(came, outputs(architecture)["logits"])


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
