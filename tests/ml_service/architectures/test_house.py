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


def test_an_unknown_architecture_is_named() -> None:
    with pytest.raises(ValueError, match="Received: 'alexnet'"):
        architectures.build("alexnet", {})
