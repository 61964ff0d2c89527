"""The house network's size and shapes."""

import numpy as np
import pytest

from ml_service import architectures


def test_parameter_count() -> None:
    network = architectures.build("house", {})
    assert network.count_params() == 1_283_517


@pytest.mark.parametrize(
    ("params", "side", "logits", "features", "heat"),
    [
        ({}, 192, (2, 1), (2, 192), (2, 6, 6, 1)),
        ({}, 128, (2, 1), (2, 192), (2, 4, 4, 1)),
        ({"labels": 4, "widths": [8, 8, 16, 24]}, 64, (2, 4), (2, 24), (2, 2, 2, 4)),
    ],
)
def test_shapes(
    params: dict[str, object],
    side: int,
    logits: tuple[int, ...],
    features: tuple[int, ...],
    heat: tuple[int, ...],
) -> None:
    out = architectures.build("house", params)(np.zeros((2, side, side, 1), np.float32), training=False)
    assert (tuple(out["logits"].shape), tuple(out["features"].shape), tuple(out["heat"].shape)) == (
        logits,
        features,
        heat,
    )


def test_mirrored_it_says_the_mean_of_an_image_and_its_mirror_image() -> None:
    params = {"labels": 4, "widths": [8, 8, 16, 24]}
    once, twice = architectures.build("house", params), architectures.build("house", params | {"mirrored": True})
    rng = np.random.default_rng(3)
    for weight in once.weights:  # fresh ones leave the residual blocks silent
        if weight.path.endswith("gamma"):
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    assert [weight.path for weight in twice.weights] == [weight.path for weight in once.weights]
    twice.set_weights(once.get_weights())
    images = rng.standard_normal((3, 64, 96, 1)).astype(np.float32)
    as_is, other = (once(way, training=False) for way in (images, np.ascontiguousarray(images[:, :, ::-1])))
    both = {name: values.numpy() for name, values in twice(images, training=False).items()}
    for name in ("logits", "features"):
        np.testing.assert_allclose(both[name], (as_is[name].numpy() + other[name].numpy()) / 2, atol=1e-5)
    heat = (as_is["heat"].numpy() + other["heat"].numpy()[:, :, ::-1]) / 2
    np.testing.assert_allclose(both["heat"], heat, atol=1e-5)
    assert np.abs(heat - as_is["heat"].numpy()).max() > 1e-3
    mirrored = twice(np.ascontiguousarray(images[:, :, ::-1]), training=False)
    np.testing.assert_allclose(mirrored["logits"].numpy(), both["logits"], atol=1e-5)


def test_an_unknown_architecture_is_named() -> None:
    with pytest.raises(ValueError, match="Received: 'alexnet'"):
        architectures.build("alexnet", {})
