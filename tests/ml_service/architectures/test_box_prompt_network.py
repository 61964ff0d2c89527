"""The network that outlines what a box holds: its two halves, and the cut-out between them."""

import keras
import numpy as np
import pytest

from ml_service import architectures
from ml_service.architectures.box_prompt import PATCH, SIDE
from ml_service.architectures.layers.cut_out import CutOut
from ml_service.prompts.networks import READERS, compiled_halves

RNG = np.random.default_rng(0)
MOST_BYTES = 10 * 2**20  # of shipped weights


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(3)
    return architectures.build("box_prompt", {})


def test_its_shapes_and_its_size(network: keras.Model) -> None:
    parts = {name: network.get_layer(name) for name in ("encoder", "decoder")}
    assert parts["encoder"].output_shape == (None, SIDE // 4, SIDE // 4, 32)
    assert network.output_shape == (None, PATCH, PATCH, 1)
    assert 590_000 < network.count_params() < 650_000
    assert parts["decoder"].count_params() < 420_000
    assert 4 * network.count_params() < MOST_BYTES


def test_an_embedding_serves_any_number_of_boxes(network: keras.Model) -> None:
    """Both halves give what the whole gives, and the second box needs the decoder alone."""
    pixels = RNG.random((1, SIDE, SIDE, 1), np.float32)
    patches = RNG.random((3, PATCH, PATCH, 3), np.float32)
    rectangles = np.array([[0, 0, 0.5, 0.5], [0.2, 0.1, 0.4, 0.9], [-0.1, 0.5, 0.3, 1.2]], np.float32)
    embedding = np.asarray(network.get_layer("encoder")(pixels, training=False))
    one_by_one = [
        np.asarray(
            network.get_layer("decoder")(
                {"embedding": embedding, "patches": patches[n : n + 1], "rectangles": rectangles[n : n + 1]},
                training=False,
            )
        )
        for n in range(3)
    ]
    taught = architectures.build("box_prompt", {"boxes": 3})
    taught.set_weights(network.get_weights())
    read = {"pixels": pixels, "patches": patches, "rectangles": rectangles}
    whole = np.asarray(taught(read, training=False))
    np.testing.assert_allclose(np.concatenate(one_by_one), whole, atol=1e-4)


def test_a_cut_out_shows_its_rectangle_and_nothing_beyond_the_map() -> None:
    ramp = np.tile(np.arange(32, dtype=np.float32)[None, None, :, None], (1, 32, 1, 1))  # rises from left to right
    half = np.array([[0.5, 0.0, 1.0, 0.5], [-1.0, 0.0, 0.0, 1.0]], np.float32)
    right, outside = np.asarray(CutOut(8)(ramp, half))
    np.testing.assert_allclose(right[4, :, 0], 16.5 + 2 * np.arange(8), atol=0.4)
    assert np.ptp(right[:, 3, 0]) < 1e-4 and outside[:, :7].max() == 0


def test_a_cut_out_of_much_is_the_mean_of_what_each_cell_covers() -> None:
    noise = RNG.random((1, 64, 64, 2), np.float32)
    small = np.asarray(CutOut(4)(noise, np.array([[0, 0, 1, 1]], np.float32)))[0]
    assert small.std() < 0.25 * noise.std()


@pytest.mark.parametrize("name", ["box_prompt", "lite_medsam"])
def test_both_architectures_answer_by_the_same_two_calls(name: str) -> None:
    small = {"box_prompt": {"widths": (8, 8, 8, 8)}, "lite_medsam": {"widths": (16, 20, 20, 40), "embedding": 32}}[name]
    parts = compiled_halves(architectures.build(name, small), threads=1)
    reader = READERS[name]()
    plane = RNG.random((90, 140)).astype(np.float32)
    boxes = np.array([[20, 10, 90, 60]], np.float32)
    embedding = parts.encode({"pixels": reader.pixels(plane, False)[np.newaxis]})
    logits = parts.decode({"embedding": embedding} | reader.prompt(plane, boxes))
    placed = reader.placed(logits[0, ..., 0], boxes[0], (90, 140))
    assert embedding.shape[0] == 1 and placed.shape == (90, 140) and placed.dtype == np.float32
