"""Networks that answer for every pixel or voxel: sizes, shapes, and what training asks of them."""

from math import prod
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from ml_service import architectures
from ml_service.architectures.layers.grow import Grow
from ml_service.architectures.layers.shifted_windows import ShiftedWindows, cut, join
from ml_service.architectures.layers.volume_norm import VolumeNorm

TINY_SWIN = {"width": 12, "sizes": (32, 32, 64), "heads": (1, 1, 2, 2), "attention_window": 4}
# Name, parameters, an input's size, channels of the bottom.
VOLUMES: list[tuple[str, dict[str, Any], tuple[int, int, int], int]] = [
    ("unet3d", {"widths": (8, 16, 32)}, (8, 12, 16), 32),
    ("unet3d", {"widths": (16, 32), "head": "text"}, (6, 8, 10), 32),
    ("segresnet", {"width": 8}, (8, 16, 24), 64),
    ("monai_unet", {"widths": (4, 8, 16)}, (4, 8, 12), 16),
    ("swin_unetr", TINY_SWIN, (32, 32, 64), 192),
    ("swin_unetr", TINY_SWIN | {"width": 16, "head": "text"}, (32, 32, 64), 256),
]
NAMES = [f"{name}-{params.get('head', 'plain')}" for name, params, _, _ in VOLUMES]


def some(*shape: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize(("name", "params", "size", "bottom"), VOLUMES, ids=NAMES)
@pytest.mark.parametrize("labels", [1, 5])
def test_every_voxel_gets_its_logits(
    name: str, params: dict[str, Any], size: tuple[int, int, int], bottom: int, labels: int
) -> None:
    out = architectures.build(name, params | {"labels": labels})(some(2, *size, 1), training=False)
    assert out["logits"].shape == (2, *size, labels) and out["features"].shape == (2, bottom)
    assert all(tensor.dtype == "float32" for tensor in out.values())
    assert np.isfinite(out["logits"].numpy()).all()


@pytest.mark.parametrize(("name", "params", "size", "bottom"), VOLUMES, ids=NAMES)
def test_every_weight_learns(name: str, params: dict[str, Any], size: tuple[int, int, int], bottom: int) -> None:
    network = architectures.build(name, params | {"labels": 2})
    with tf.GradientTape() as tape:
        logits = network(some(1, *size, 1), training=True)["logits"]
        loss = tf.reduce_mean(
            keras.ops.binary_crossentropy(np.ones(logits.shape, np.float32), logits, from_logits=True)
        )
    gradients = tape.gradient(loss, network.trainable_variables)
    assert all(gradient is not None and np.isfinite(tf.convert_to_tensor(gradient)).all() for gradient in gradients)


@pytest.mark.parametrize(("name", "millions"), [("segresnet", 4.70), ("monai_unet", 4.81), ("swin_unetr", 62.19)])
def test_the_usual_widths_have_the_published_size(name: str, millions: float) -> None:
    labels = {"segresnet": 25, "monai_unet": 2, "swin_unetr": 14}[name]
    params = {"labels": labels} | ({"sizes": (32, 32, 32)} if name == "swin_unetr" else {})
    network = architectures.build(name, params)
    learnt = sum(prod(weight.shape) for weight in network.trainable_weights)
    assert round(learnt / 1e6, 2) == pytest.approx(millions, abs=0.011)


@pytest.mark.parametrize(
    ("corners", "as_written"),
    [
        # monai/networks/nets/swin_unetr.py, PatchMerging.forward, x0 to x7: of release 0.9, and of 1.5.0 with
        # https://github.com/Project-MONAI/MONAI/pull/8285
        ("monai-0.9", "000 100 010 001 101 010 001 111"),
        ("each", "000 100 010 001 110 101 011 111"),
    ],
)
def test_swin_unetr_joins_voxels_in_the_order_of_monais_release(corners: str, as_written: str) -> None:
    """Nothing else differs between the two, and whole outputs are compared with the older one's alone."""
    network = architectures.build("swin_unetr", TINY_SWIN | {"corners": corners})
    for step, size in ((1, (16, 16, 32)), (2, (8, 8, 16))):
        before, joined = network.get_layer(f"step{step}_block2_add2"), network.get_layer(f"step{step}_merge_join")
        x = some(1, *size, 12 * step)
        came = keras.Model(before.output, joined.output)(x)
        expected = [x[:, int(d) :: 2, int(h) :: 2, int(w) :: 2] for d, h, w in as_written.split()]
        np.testing.assert_array_equal(came, np.concatenate(expected, axis=-1))


def test_the_unet_for_images_keeps_the_contract() -> None:
    network = architectures.build("unet2d", {"labels": 2})
    learnt = sum(prod(weight.shape) for weight in network.trainable_weights)
    assert 2 * learnt <= 5_000_000  # bytes in half precision
    out = network(some(3, 64, 96, 1), training=False)
    assert out["heat"].shape == (3, 64, 96, 2) and out["features"].shape == (3, 128)
    np.testing.assert_allclose(out["logits"].numpy(), out["heat"].numpy().mean(axis=(1, 2)), atol=1e-5)


def test_a_box_gives_a_mask_and_its_quality() -> None:
    network = architectures.build("lite_medsam", {"widths": (16, 16, 20, 40), "embedding": 32, "side": 64})
    boxes = np.array([[0, 0, 20, 30], [10, 12, 50, 60]], np.float32)
    pixels = np.repeat(some(1, 64, 64, 3), 2, axis=0)
    out = network({"pixels": pixels, "boxes": boxes}, training=False)
    assert out["logits"].shape == (2, 64, 64, 1) and out["quality"].shape == (2, 1)
    assert abs(out["logits"][0] - out["logits"][1]).numpy().max() > 1e-4  # the box matters
    with tf.GradientTape() as tape:
        out = network({"pixels": pixels, "boxes": boxes}, training=True)
        loss = tf.reduce_mean(out["logits"]) + tf.reduce_mean(out["quality"])
    gradients = tape.gradient(loss, network.trainable_variables)
    unused = [w.path for w, g in zip(network.trainable_variables, gradients, strict=True) if g is None]
    assert not unused


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("unet3d", {"head": "words"}, "Received: 'words'"),
        ("swin_unetr", {"head": "words"}, "Received: 'words'"),
        ("swin_unetr", {"corners": "seven"}, "Received: 'seven'"),
        ("swin_unetr", {"sizes": (96, 96, 80)}, "divisible by 32"),
        ("segresnet", {"blocks_up": (1, 1)}, "one level fewer"),
    ],
)
def test_a_network_that_cannot_be_is_refused(name: str, params: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        architectures.build(name, params)


@pytest.mark.parametrize("groups", [None, 3])
def test_the_norm_is_exact_on_a_large_volume(groups: int | None) -> None:
    """Sums over all voxels at once lose digits in float32: Keras's own norm is ten times further off here."""
    x = 5 + some(1, 48, 48, 48, 6)
    wide = x.astype(np.float64).reshape(1, 48**3, groups or 6, -1)
    mean, variance = wide.mean(axis=(1, 3), keepdims=True), wide.var(axis=(1, 3), keepdims=True)
    expected = ((wide - mean) / np.sqrt(variance + 1e-5)).reshape(x.shape)
    assert abs(VolumeNorm(groups)(x).numpy() - expected).max() < 3e-6
    with pytest.raises(ValueError, match="divisible by 4"):
        VolumeNorm(4)(x)


def test_growth_is_trilinear() -> None:
    x = some(1, 3, 4, 5, 2)
    grown = Grow()(x).numpy()
    along = [np.clip((np.arange(2 * size) + 0.5) / 2 - 0.5, 0, size - 1) for size in (3, 4, 5)]
    for place in [(0, 0, 0), (5, 7, 9), (2, 3, 4), (1, 6, 5)]:
        low = [int(line[at]) for line, at in zip(along, place, strict=True)]
        high = [min(a + 1, size - 1) for a, size in zip(low, (3, 4, 5), strict=True)]
        part = [line[at] - a for line, at, a in zip(along, place, low, strict=True)]
        expected = np.zeros(2)
        for corner in np.ndindex(2, 2, 2):
            share = np.prod([p if up else 1 - p for p, up in zip(part, corner, strict=True)])
            at = tuple(h if up else a for h, a, up in zip(high, low, corner, strict=True))
            expected += share * x[0][at]
        np.testing.assert_allclose(grown[0][place], expected, atol=1e-5)


def test_windows_are_cut_and_joined() -> None:
    x = some(2, 4, 6, 8, 3)
    windows = cut(keras.ops.convert_to_tensor(x), (2, 3, 4))
    np.testing.assert_array_equal(windows[1].numpy(), x[0, :2, :3, 4:].reshape(-1, 3))
    np.testing.assert_array_equal(join(windows, (4, 6, 8), (2, 3, 4)).numpy(), x)


@pytest.mark.parametrize("shifted", [False, True])
def test_voxels_attend_to_their_window_only(shifted: bool) -> None:
    """A change in one corner reaches its window; with a shift it must not come round to the far side."""
    layer = ShiftedWindows(heads=2, window=4, shifted=shifted)
    x = some(1, 8, 8, 8, 4)
    before = layer(x).numpy()
    x[0, 0, 0, 0] += 3
    reached = np.abs(layer(x).numpy() - before).max(axis=-1)[0] > 1e-6
    side = 2 if shifted else 4  # the shift leaves half a window at each end
    expected = np.zeros((8, 8, 8), bool)
    expected[:side, :side, :side] = True
    np.testing.assert_array_equal(reached, expected)
