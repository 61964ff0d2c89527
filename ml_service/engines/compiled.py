"""A part of a Keras network compiled for inputs of one shape: by OpenVINO, or by TensorFlow where that built it."""

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Run = Callable[[dict[str, Floats]], Floats]
Shapes = Mapping[str, tuple[int, ...]]


class Compiled(NamedTuple):
    """What runs it: its input by name to its logits, or its only output. Not thread-safe."""

    run: Run
    engine: str
    device: str


def compiled(
    part: keras.Model, threads: int = 0, shapes: Shapes | None = None, patience_s: float | None = None
) -> Compiled:
    """Returns the part, ready to run.

    Args:
        part: a functional network or layer of one.
        threads: of a pass; 0: half of the cores.
        shapes: of the inputs by name, without the batch, which is one; None: the inputs say them themselves.
        patience_s: what a pass may take; None: as long as engines/openvino_pass.py says.
    """
    given = {name: (1, *shape) for name, shape in (shapes or _shapes(part)).items()}
    if keras.backend.backend() == "tensorflow":
        return Compiled(_tensorflow(part, given), "tensorflow", "CPU")
    import openvino as ov

    device = str(ov.Core().get_property("CPU", "FULL_DEVICE_NAME")).strip()
    return Compiled(_openvino(part, given, threads, patience_s), "openvino", device)


def _shapes(part: keras.Model) -> Shapes:
    inputs = part.input if isinstance(part.input, dict) else {part.input.name: part.input}
    return {name: tensor.shape[1:] for name, tensor in inputs.items()}


def _called(part: keras.Model, read: dict[str, Any]) -> Any:
    out = part(read if isinstance(part.input, dict) else next(iter(read.values())), training=False)
    return out["logits"] if isinstance(out, dict) else out


def _tensorflow(part: keras.Model, shapes: Shapes) -> Run:
    import tensorflow as tf

    signature = {name: tf.TensorSpec(shape, tf.float32, name) for name, shape in shapes.items()}
    run = tf.function(lambda read: _called(part, read), input_signature=[signature])
    return lambda read: np.asarray(run({name: tf.constant(value) for name, value in read.items()}))


def _openvino(part: keras.Model, shapes: Shapes, threads: int, patience_s: float | None) -> Run:
    import openvino as ov
    from openvino import opset16 as nodes
    from openvino._offline_transformations import apply_moc_transformations
    from openvino.frontend import FrontEndManager

    from ml_service.engines.openvino_pass import run_pass

    inputs = {name: nodes.parameter(list(shape), ov.Type.f32, name=name) for name, shape in shapes.items()}
    out = _called(part, {name: keras.ops.convert_to_tensor(node.output(0)) for name, node in inputs.items()})
    built = ov.Model([nodes.result(out.output)], list(inputs.values()))
    # As in engines/openvino.py: channels first, scales merged into kernels.
    apply_moc_transformations(built, False)
    FrontEndManager().load_by_framework("tf").normalize(built)
    options = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads or max(1, len(os.sched_getaffinity(0)) // 2),
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,
    }
    request = ov.Core().compile_model(built, "CPU", options).create_infer_request()
    order = list(inputs)

    def run(read: dict[str, Floats]) -> Floats:
        given = {number: read[name].astype(np.float32, copy=False) for number, name in enumerate(order)}
        return np.array(run_pass(request, given, patience_s)[0])  # a copy: the next pass overwrites it

    return run
