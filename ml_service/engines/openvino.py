"""OpenVINO: the network as a graph compiled for this processor. On one it takes half of TensorFlow's time."""

import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset16 as nodes
from openvino._offline_transformations import apply_moc_transformations
from openvino.frontend import FrontEndManager

from ml_service import architectures
from ml_service.engines import Outputs
from ml_service.manifest import WEIGHTS, Manifest
from ml_service.weights import load_into


class Network:
    """A version's network on OpenVINO."""

    engine = "openvino"

    def __init__(self, manifest: Manifest, folder: Path, threads: int = 0) -> None:
        model = architectures.build(manifest.architecture, manifest.params)
        load_into(model, folder / WEIGHTS)
        self.side = manifest.side
        core = ov.Core()
        # A processor without the instructions would only imitate bf16, slowly.
        able = manifest.precision.upper() in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self.precision: str = manifest.precision if able else "f32"
        self.device = str(core.get_property("CPU", "FULL_DEVICE_NAME")).strip()
        compiled = core.compile_model(
            _graph(model, manifest.side),
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": self.precision,
                # The other half of the cores decodes meanwhile; more threads here wait for each other's share.
                "INFERENCE_NUM_THREADS": threads or max(1, len(os.sched_getaffinity(0)) // 2),
                "NUM_STREAMS": 1,  # one batch at a time: the batcher is the queue
                "ENABLE_CPU_PINNING": False,  # the cores are shared with the threads that decode
            },
        )
        self._request = compiled.create_infer_request()

    def __call__(self, pixels: NDArray[np.float32]) -> Outputs:
        """Runs a batch (B, side, side, channels)."""
        out = self._request.infer({0: np.ascontiguousarray(pixels, np.float32)}, share_inputs=True)
        return Outputs(*(np.array(out[name]) for name in Outputs._fields))  # copies: the next pass overwrites them


def _graph(model: keras.Model, side: int) -> ov.Model:
    """Returns the network as OpenVINO's graph, from whichever backend Keras runs on."""
    shape = (None, side, side, model.inputs[0].shape[-1] or 1)  # images are grey where a network takes any
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        run = tf.function(lambda x: model(x, training=False), input_signature=[tf.TensorSpec(shape, tf.float32)])
        # Not shared: TensorFlow frees its weights with the model, and OpenVINO reads them again for another batch size.
        return ov.convert_model(run.get_concrete_function(), share_weights=False)
    pixels = nodes.parameter([-1, *shape[1:]], ov.Type.f32, name="pixels")
    out: dict[str, Any] = model(keras.ops.convert_to_tensor(pixels.output(0)), training=False)
    graph = ov.Model([_result(name, out[name].output) for name in Outputs._fields], [pixels])
    # Keras keeps channels last, OpenVINO first, so every convolution comes between two transposes. Both steps are
    # those that OpenVINO takes for a TensorFlow model: merge scales into kernels, then move transposes to the ends.
    apply_moc_transformations(graph, False)
    FrontEndManager().load_by_framework("tf").normalize(graph)
    return graph


def _result(name: str, output: "ov.Output") -> Any:
    node = nodes.result(output)
    node.output(0).get_tensor().set_names({name})
    return node
