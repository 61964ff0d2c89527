"""A network as a table: every layer with its output, its parameters and its cost. Built from its architecture, without
weights, so it can be asked of a version that is not in memory."""

import json
import math
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import keras

from ml_service import architectures
from ml_service.manifest import Manifest, Prompted, Volumetric

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Row:
    """One layer for one image. `output` is without the batch; what only reshapes or adds costs nothing here."""

    name: str
    kind: str
    output: Shape
    parameters: int  # that were learnt, as the manifest counts them: no running means and variances
    multiply_adds: int


def describe(manifest: Manifest | Prompted | Volumetric) -> dict[str, Any]:
    """Returns `input` (side, side, channels; of volumes a window's), `layers` (rows, in the order in which they run)
    and their sums."""
    sides: Shape = manifest.plan.size if isinstance(manifest, Volumetric) else ()
    if isinstance(manifest, Manifest):
        sides = (manifest.side, manifest.side)
    shape, rows = _described(manifest.architecture, json.dumps(manifest.params), sides)
    return {
        "architecture": manifest.architecture,
        "input": shape,
        "parameters": sum(row.parameters for row in rows),
        "multiply_adds": sum(row.multiply_adds for row in rows),
        "layers": [asdict(row) for row in rows],
    }


@lru_cache(maxsize=64)
def _described(architecture: str, params: str, sides: Shape) -> tuple[Shape, tuple[Row, ...]]:
    network = architectures.build(architecture, json.loads(params))
    if not sides:  # in two halves, of a size that they bring themselves
        halves = [network.get_layer(name) for name in ("encoder", "decoder")]
        shape = tuple(halves[0].inputs[0].shape[1:])
        return shape, tuple(row for half in halves for row in rows_of(half))
    shape = (*sides, int(network.inputs[0].shape[-1] or 1))  # images are grey where a network takes any
    return shape, tuple(rows_of(network, shape))


def rows_of(network: keras.Model, shape: Shape | None = None) -> list[Row]:
    """Returns a row a layer or operation of a functional network that reads images of `shape` (H, W, C), or volumes of
    (D, H, W, C); None: its inputs say their sizes themselves."""
    steps = [step for step in network.operations if not isinstance(step, keras.layers.InputLayer)]
    tensors = [[keras.tree.flatten(step.output)[0], *keras.tree.flatten(step.input)] for step in steps]
    # Shapes for this very input: the network itself leaves height and width open.
    whole = keras.Function(network.inputs, tensors)
    shapes = [each.shape[1:] for each in network.inputs] if shape is None else [shape]
    given = [keras.KerasTensor((1, *each), into.dtype) for each, into in zip(shapes, network.inputs, strict=True)]
    found = whole.compute_output_spec(given)
    rows = []
    for step, (after, *before) in zip(steps, found, strict=True):
        cost = multiply_adds(step, [tensor.shape for tensor in before], after.shape)
        rows.append(Row(step.name, type(step).__name__, after.shape[1:], _parameters(step), cost))
    return rows


def multiply_adds(step: Any, before: list[Shape], after: Shape) -> int:
    """Returns the multiplications, each with its addition, of a convolution, dense layer or product of tensors.

    A layer that works otherwise tells its own cost by a method `multiply_adds(input_shape)`.

    Args:
        step: a layer or operation.
        before: shapes of its inputs, for one image.
        after: shape of its output.
    """
    if hasattr(step, "multiply_adds"):
        return int(step.multiply_adds(before[0]))
    if type(step).__name__ == "Matmul":
        return int(math.prod(after) * before[0][-1])
    if type(step).__name__ == "Einsum":
        terms = step.subscripts.split("->")[0].split(",")
        pairs = (zip(term, shape, strict=True) for term, shape in zip(terms, before, strict=True))
        sizes = {letter: size for pair in pairs for letter, size in pair}
        return int(math.prod(sizes.values()))
    kernels = [weight.shape for weight in getattr(step, "weights", []) if weight.name == "kernel"]
    return int(sum(math.prod(kernel) for kernel in kernels) * math.prod(after[:-1]))


def _parameters(step: Any) -> int:
    return sum(math.prod(weight.shape) for weight in getattr(step, "trainable_weights", []))
