"""The same networks as the ML tier runs them: the streamed window, and embeddings that are kept while a request lasts.

`python -m benchmarks.volume_networks.ours unet|boxes WEIGHTS.npz ANSWER.npy SCALE`, as `theirs.py`.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

os.environ.setdefault("KERAS_BACKEND", "openvino")

import keras
import numpy as np

from benchmarks.volume_networks import BATCH, BOXES, OVERLAP, THREADS, UNET, WARM, WINDOW, study
from ml_service import architectures
from ml_service.importers import lite_medsam, monai_networks
from ml_service.importers.checkpoint import Array, convert
from ml_service.manifest import WEIGHTS, Prompted
from ml_service.prompts.boxes import Prompt
from ml_service.prompts.follow import follow, runs
from ml_service.prompts.memory import Box
from ml_service.prompts.networks import PromptNetwork
from ml_service.sliding_window.labels import label_map
from ml_service.sliding_window.plan import Plan
from ml_service.sliding_window.stream import Floats, slabs

Pass = Callable[[Any], Any]


def main() -> None:
    what, weights, answer, scale = sys.argv[1:]
    with np.load(weights) as arrays:
        run = {"unet": unet, "boxes": boxes}[what](dict(arrays))
    run(study(what, WARM[what]))
    volume = study(what, float(scale))
    print("ready", flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        out = run(volume)
        took_s = time.perf_counter() - began
        np.save(answer, out)
        print(took_s, flush=True)


def unet(tensors: dict[str, Array]) -> Pass:
    """The label of each voxel, from slabs as they become final."""
    rules = monai_networks.unet(2, 1, (16, 32, 64, 128, 256), 2)
    network = architectures.build("monai_unet", UNET)
    arrays = convert(tensors, rules, lambda name: name.endswith("num_batches_tracked"))
    for weight in network.weights:
        weight.assign(arrays[weight.path])
    plan = Plan(
        size=WINDOW, overlap=OVERLAP, fast_overlap=0.25, spacing_mm=None, levels=(0.0, 1.0), activation="softmax"
    )
    windows = _on_openvino(network)
    return lambda volume: label_map(slabs(volume, windows, plan, batch=BATCH), volume.shape)


def boxes(tensors: dict[str, Array]) -> Pass:
    """Each slice is encoded once, and its embedding kept for the boxes that come after."""
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / WEIGHTS, **lite_medsam.weights(tensors))  # type: ignore[arg-type]
        manifest = cast(Prompted, SimpleNamespace(architecture="lite_medsam", params={}))
        network = PromptNetwork(manifest, Path(folder), THREADS)

    def run(drawn_on: Any) -> Any:
        volume = drawn_on.astype(np.float32)
        kept: dict[int, Floats] = {}

        def outline(z: int, box: Box) -> Floats:
            if z not in kept:
                kept[z] = network.encode(volume[z])
            return network.logits(kept[z], volume[z], [box])[0]

        found = np.zeros((len(BOXES), *volume.shape), bool)
        for number, (x_min, y_min, z_min, x_max, y_max, _) in enumerate(BOXES):
            prompt = Prompt((x_min, y_min, x_max, y_max), z_min, len(volume) - 1, number + 1, through=False)
            for way in runs([prompt], len(volume)):
                for z, mask in follow(way, outline, lambda z: volume[z], network.memory):
                    found[number, z] = mask
        return found

    return run


def _on_openvino(network: keras.Model) -> Callable[[Floats], Floats]:
    """Compiled for windows of one size and any number, as `prompts.networks` compiles."""
    import openvino as ov
    from openvino import opset16 as nodes
    from openvino._offline_transformations import apply_moc_transformations
    from openvino.frontend import FrontEndManager

    from ml_service.engines.openvino_pass import run_pass

    windows = nodes.parameter([-1, *WINDOW, UNET["channels"]], ov.Type.f32, name="voxels")
    out = network(keras.ops.convert_to_tensor(windows.output(0)), training=False)["logits"]
    built = ov.Model([nodes.result(out.output)], [windows])
    apply_moc_transformations(built, False)
    FrontEndManager().load_by_framework("tf").normalize(built)
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": THREADS, "NUM_STREAMS": 1}
    request = ov.Core().compile_model(built, "CPU", options).create_infer_request()
    return lambda given: np.array(run_pass(request, {0: given})[0])


if __name__ == "__main__":
    main()
