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
from ml_service.engines.openvino_pass import run_pass
from ml_service.manifest import INT8, WEIGHTS, Manifest
from ml_service.weights import load_into

# Of sixteen together a pass takes a tenth less an image, but what comes back in one bunch is asked for again in one,
# and a core waits: 16 clients with films got 8 % more of four, the slowest 1 % of them 16 % sooner (two cores).
ROWS = 4


class Network:
    """A version's network on OpenVINO."""

    engine = "openvino"
    rows: int | None = ROWS

    def __init__(self, manifest: Manifest, folder: Path, threads: int = 0) -> None:
        self.side = manifest.side
        core = ov.Core()
        self.precision: str = manifest.precision if _has_instructions(core, manifest.precision) else "f32"
        self.device = str(core.get_property("CPU", "FULL_DEVICE_NAME")).strip()
        compiled = core.compile_model(
            core.read_model(folder / INT8) if self.precision == "int8" else graph(manifest, folder),
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": floats(core, self.precision),
                # The other half of the cores decodes meanwhile; more threads here wait for each other's share.
                "INFERENCE_NUM_THREADS": threads or max(1, len(os.sched_getaffinity(0)) // 2),
                "NUM_STREAMS": 1,  # one batch at a time: the batcher is the queue
                "ENABLE_CPU_PINNING": False,  # the cores are shared with the threads that decode
            },
        )
        self._request = compiled.create_infer_request()

    def __call__(self, pixels: NDArray[np.float32]) -> Outputs:
        """Runs a batch (B, side, side, channels)."""
        out = run_pass(self._request, {0: pixels.astype(np.float32, copy=False)})
        return Outputs(*(np.array(out[name]) for name in Outputs._fields))  # copies: the next pass overwrites them


def floats(core: ov.Core, precision: str) -> str:
    """Returns the precision of what stays floating point: for an 8-bit graph bf16 where the processor has it."""
    if precision != "int8":
        return precision
    return "bf16" if _has_instructions(core, "bf16") else "f32"


def _has_instructions(core: ov.Core, precision: str) -> bool:
    """Whether the processor computes so by itself. Without, bf16 is imitated, slowly, and 8-bit sums may overflow."""
    if precision == "int8":
        flags = Path("/proc/cpuinfo")
        return flags.exists() and any(name in flags.read_text() for name in ("avx512_vnni", "avx_vnni", "amx_int8"))
    return precision.upper() in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def graph(manifest: Manifest, folder: Path) -> ov.Model:
    """Returns a version's network as OpenVINO's graph, from whichever backend Keras runs on."""
    model = architectures.build(manifest.architecture, manifest.params)
    load_into(model, folder / WEIGHTS)
    side = manifest.side
    shape = (None, side, side, model.inputs[0].shape[-1] or 1)  # images are grey where a network takes any
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        run = tf.function(lambda x: model(x, training=False), input_signature=[tf.TensorSpec(shape, tf.float32)])
        # Not shared: TensorFlow frees its weights with the model, and OpenVINO reads them again for another batch size.
        return ov.convert_model(run.get_concrete_function(), share_weights=False)
    pixels = nodes.parameter([-1, *shape[1:]], ov.Type.f32, name="pixels")
    out: dict[str, Any] = model(keras.ops.convert_to_tensor(pixels.output(0)), training=False)
    built = ov.Model([_result(name, out[name].output) for name in Outputs._fields], [pixels])
    # Keras keeps channels last, OpenVINO first, so every convolution comes between two transposes. Both steps are
    # those that OpenVINO takes for a TensorFlow model: merge scales into kernels, then move transposes to the ends.
    apply_moc_transformations(built, False)
    FrontEndManager().load_by_framework("tf").normalize(built)
    return built


def _result(name: str, output: "ov.Output") -> Any:
    node = nodes.result(output)
    node.output(0).get_tensor().set_names({name})
    return node
