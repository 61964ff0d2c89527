"""Rules for layers in two or three dimensions, for `checkpoint.convert`."""

import numpy as np

from ml_service.importers.checkpoint import Array, Rule, same


def convolution(source: str, target: str, before: int, after: int, *sides: int, bias: bool = True) -> list[Rule]:
    """A convolution; (out, in, *sides) becomes (*sides, in, out)."""
    rules = [Rule(f"{source}.weight", (after, before, *sides), f"{target}/kernel", turned)]
    return rules + ([Rule(f"{source}.bias", (after,), f"{target}/bias", same)] if bias else [])


def transposed(source: str, target: str, before: int, after: int, *sides: int, bias: bool = True) -> list[Rule]:
    """A transposed convolution; (in, out, *sides) becomes (*sides, out, in)."""
    rules = [Rule(f"{source}.weight", (before, after, *sides), f"{target}/kernel", turned)]
    return rules + ([Rule(f"{source}.bias", (after,), f"{target}/bias", same)] if bias else [])


def each_channel(source: str, target: str, channels: int) -> list[Rule]:
    """A depth-wise 3x3 convolution without bias; (channels, 1, 3, 3) becomes (3, 3, channels, 1)."""
    turn = _depthwise
    return [Rule(f"{source}.weight", (channels, 1, 3, 3), f"{target}/kernel", turn)]


def pointwise(source: str, target: str, before: int, after: int, *sides: int) -> list[Rule]:
    """A 1x1 convolution that is a dense layer here; (out, in, 1, ...) becomes (in, out)."""

    def turn(kernel: Array) -> Array:
        return kernel.reshape(after, before).T

    return [
        Rule(f"{source}.weight", (after, before, *sides), f"{target}/kernel", turn),
        Rule(f"{source}.bias", (after,), f"{target}/bias", same),
    ]


def scales(source: str, target: str, channels: int) -> list[Rule]:
    """The scale and offset of a layer or group normalisation."""
    names = (("weight", "gamma"), ("bias", "beta"))
    return [Rule(f"{source}.{theirs}", (channels,), f"{target}/{ours}", same) for theirs, ours in names]


def turned(kernel: Array) -> Array:
    """(a, b, *sides) -> (*sides, b, a)"""
    return np.moveaxis(kernel, (0, 1), (-1, -2))


def _depthwise(kernel: Array) -> Array:
    return kernel.transpose(2, 3, 0, 1)
