"""Weights as a plain .npz of arrays by layer path. Nothing is ever deserialised into code: no pickle, no
`load_model`, so a weights file can be wrong but cannot act."""

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray


def load_into(network: keras.Model, path: Path) -> None:
    """Sets every weight of `network`. Raises ValueError when names or shapes differ from the network's."""
    with np.load(path, allow_pickle=False) as arrays:
        expected, came = {weight.path for weight in network.weights}, set(arrays.files)
        if expected != came:
            raise ValueError(f"Expected the network's weights. Received: {len(expected ^ came)} names that differ")
        for weight in network.weights:
            value = arrays[weight.path]
            if value.shape != tuple(weight.shape):
                raise ValueError(f"Expected {weight.path} as {tuple(weight.shape)}. Received: {value.shape}")
            weight.assign(value.astype(np.float32))


def save_half(weights: dict[str, NDArray[np.float32]], path: Path) -> None:
    """Writes kernels as float16; vectors (scales, means, variances) stay float32, they are few and wide-ranged."""
    arrays = {name: value.astype(np.float16) if value.ndim > 1 else value for name, value in weights.items()}
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
