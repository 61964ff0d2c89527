"""Weights that anybody can make again, as the original modules had when their outputs were written down."""

import json
import zlib
from math import prod, sqrt
from pathlib import Path

import keras
import numpy as np

from ml_service.importers.checkpoint import Array

FIXTURES = Path(__file__).parent / "fixtures"


def tensor(name: str, shape: tuple[int, ...]) -> Array:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    if name.endswith("running_var"):
        return (0.5 + rng.random(shape)).astype(np.float32)
    if len(shape) >= 2:
        return (rng.standard_normal(shape) / sqrt(prod(shape[1:]))).astype(np.float32)
    scale = 1 if name.endswith("weight") else 0
    return (scale + 0.1 * rng.standard_normal(shape)).astype(np.float32)


def checkpoint(network: str) -> dict[str, Array]:
    listed = json.loads((FIXTURES / f"{network}.json").read_text())["tensors"]
    return {name: tensor(name, tuple(shape)) for name, shape in listed}


def outputs(network: str) -> dict[str, Array]:
    with np.load(FIXTURES / f"{network}.npz") as arrays:
        return dict(arrays)


def filled(network: keras.Model, arrays: dict[str, Array]) -> keras.Model:
    """Returns the network with the imported weights, all of them and no others."""
    assert {weight.path for weight in network.weights} == arrays.keys()
    for weight in network.weights:
        weight.assign(arrays[weight.path])
    return network


def voxels(*shape: int) -> Array:
    """The input that was noted, channels last."""
    return np.moveaxis(np.random.default_rng(0).random((1, 1, *shape), np.float32), 1, -1)


def agree(came: Array, expected: Array) -> bool:
    """Equal within 1e-4 of the output's own spread."""
    assert came.shape == expected.shape
    return bool(np.abs(came - expected).max() <= 1e-4 * expected.std())
