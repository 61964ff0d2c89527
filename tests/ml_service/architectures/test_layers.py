"""The shared layers against the same thing done another way: loops, and automatic differentiation."""

from math import ceil, floor

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from ml_service import architectures
from ml_service.architectures.layers.adaptive_pool import AdaptivePool
from ml_service.architectures.layers.explained_head import ExplainedHead
from ml_service.architectures.layers.token_head import TokenHead


def some(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def with_some_weights(layer: tf.Module) -> None:
    for number, weight in enumerate(layer.weights):
        values = np.random.default_rng(number).standard_normal(weight.shape) / 3
        weight.assign(np.abs(values) + 0.5 if weight.name == "moving_variance" else values)


@pytest.mark.parametrize(("height", "width", "size"), [(11, 13, 7), (14, 14, 7), (5, 9, 7), (7, 7, 7), (3, 7, 7)])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_pool_averages_the_pixels_that_a_cell_touches(height: int, width: int, size: int, channels: int) -> None:
    image = some(2, height, width, channels)
    expected = np.empty((2, size, size, channels), np.float32)
    for i in range(size):
        rows = slice(floor(i * height / size), ceil((i + 1) * height / size))
        for j in range(size):
            columns = slice(floor(j * width / size), ceil((j + 1) * width / size))
            expected[:, i, j] = image[:, rows, columns].mean(axis=(1, 2))
    pool = AdaptivePool(size)
    np.testing.assert_allclose(pool(image).numpy(), expected, atol=1e-6)
    open_size = tf.function(pool, input_signature=[tf.TensorSpec((None, None, None, channels))])
    np.testing.assert_allclose(open_size(image).numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("join", ["mean", "flat"])
@pytest.mark.parametrize("norm", [False, True])
def test_the_heat_is_gradient_times_map_and_the_maps_part_of_the_logit(join: str, norm: bool) -> None:
    head = ExplainedHead((12, 8), 3, join, norm=norm)  # type: ignore[arg-type]
    maps = tf.constant(some(4, 3, 2, 5))
    head(maps)
    with_some_weights(head)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(maps)
        logits, heat = head(maps, training=False)
        each = tf.unstack(logits, axis=-1)
    for label, logit in enumerate(each):
        contributions = tf.reduce_sum(tape.gradient(logit, maps) * maps, axis=-1)
        np.testing.assert_allclose(heat[..., label].numpy(), contributions.numpy(), atol=1e-4)


def test_the_heats_sum_is_the_logit_less_the_bias() -> None:
    """To the letter where only the last layer has one: ReLU scales with its input."""
    head = ExplainedHead((16,), 2, "flat")
    head(some(1, 3, 3, 4))  # biases begin at zero
    head.last.bias.assign([0.5, -2.0])
    logits, heat = head(some(5, 3, 3, 4))
    np.testing.assert_allclose(heat.numpy().sum(axis=(1, 2)), logits.numpy() - [0.5, -2.0], atol=1e-4)


@pytest.mark.parametrize("labels", [1, 3])
@pytest.mark.parametrize("side", [64, 100, 224])
def test_vgg16s_heat_is_gradient_times_the_maps_of_its_fourth_block(labels: int, side: int) -> None:
    """100: block 5 has six places a side, and its pooled maps three, which are spread over seven."""
    network = architectures.build("vgg16_bn", {"labels": labels, "width": 0.125})
    rng = np.random.default_rng(1)
    for weight in network.weights:
        if weight.name in ("gamma", "beta", "moving_mean", "moving_variance"):
            weight.assign(weight + np.abs(rng.normal(0, 0.1, weight.shape)))
    maps = network.get_layer("block4_pool").output
    seen = keras.Model(network.input, [maps, network.output["logits"], network.output["heat"]])
    images = tf.constant(some(2, side, side, 1))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(images)
        before, logits, heat = seen(images, training=False)
        each = tf.unstack(logits, axis=-1)
    assert heat.shape == (2, side // 16, side // 16, labels)
    for label, logit in enumerate(each):
        contributions = tf.reduce_sum(tape.gradient(logit, before) * before, axis=-1).numpy()
        assert np.abs(contributions).max() > 1e-3
        np.testing.assert_allclose(heat[..., label].numpy(), contributions, rtol=1e-3, atol=1e-5)


def test_vgg16_has_heat_of_its_last_two_blocks_alone() -> None:
    with pytest.raises(ValueError, match="Expected heat_of as 4 or 5"):
        architectures.build("vgg16_bn", {"heat_of": 3})


def test_a_tokens_heat_is_what_its_value_adds_while_the_attention_stays() -> None:
    head = TokenHead(depth=8, labels=3, heads=2)
    tokens = some(2, 5, 6)
    head(tokens)
    with_some_weights(head)
    logits, _, heat = (tensor.numpy() for tensor in head(tokens))

    def dense(name: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
        layer = getattr(head, name)
        result: NDArray[np.float32] = x @ layer.kernel.numpy() + layer.bias.numpy()
        return result

    def split(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return x.reshape(2, 5, 2, 4).transpose(0, 2, 1, 3)  # (B, heads, T, e)

    def read(x: NDArray[np.float32], attention: NDArray[np.float32]) -> NDArray[np.float32]:
        context = attention @ split(dense("value", dense("embed", x) + head.positions))
        return dense("last", dense("project", context.transpose(0, 2, 1, 3).reshape(2, 5, 8)).reshape(2, 40))

    x = dense("embed", tokens) + head.positions
    weights = np.exp(split(dense("query", x)) @ split(dense("key", x)).transpose(0, 1, 3, 2) / 2)  # sqrt(4)
    attention = weights / weights.sum(axis=-1, keepdims=True)
    whole = read(tokens, attention)
    np.testing.assert_allclose(logits, whole, atol=1e-4)
    for token in range(5):
        without = tokens.copy()
        without[:, token] = 0
        np.testing.assert_allclose(heat[:, token], whole - read(without, attention), atol=1e-4)
    np.testing.assert_allclose(heat.sum(axis=1), whole - read(np.zeros_like(tokens), attention), atol=1e-4)


@pytest.mark.parametrize(
    ("patches", "rows", "columns", "place"),
    [("memory", slice(57, 58), slice(100, 200), (57, 1)), ("true", slice(40, 50), slice(70, 80), (4, 7))],
)
def test_a_tokens_heat_lies_where_its_pixels_are(
    patches: str, rows: slice, columns: slice, place: tuple[int, int]
) -> None:
    network = architectures.build("attention", {"width": 0.125, "channels": 1, "patches": patches})
    image = np.zeros((1, 200, 200, 1), np.float32)
    image[:, rows, columns] = 1
    heat = network(image)["heat"].numpy()[0, :, :, 0]
    assert abs(heat[place]) > 0
    heat[place] = 0
    assert not heat.any()


def test_a_memory_token_of_the_maps_lies_on_its_four_cells() -> None:
    network = architectures.build("cnn_attention", {"width": 0.125, "channels": 1})
    cells = network(some(1, 64, 64, 1))["heat"].numpy().reshape(49, 4)
    assert (cells == cells[:, :1]).all() and len(np.unique(cells[:, 0])) == 49
