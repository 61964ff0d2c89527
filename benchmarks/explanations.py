"""What the heat maps cost: `python -m benchmarks.explanations`, of every newest classifier, in either engine.

Each network is run as it is served and once more cut down to logits and features, in turn, on noise. The heat's cost is
the difference as a share of the cut-down pass; drawing the map is added to it. Aimed at: 0.4 at most. Times are
processor milliseconds an image, the least of several rounds, one thread. Kept in results/explanations.json.
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"  # it can build every engine's networks

import numpy as np
import openvino as ov
import tensorflow as tf

from ml_service import architectures
from ml_service import manifest as manifests
from ml_service.engines.openvino import floats, graph
from ml_service.engines.openvino_pass import run_pass
from ml_service.explain import heatmap_png
from ml_service.manifest import INT8, WEIGHTS, Manifest
from ml_service.settings import SHIPPED
from ml_service.weights import load_into

MOST = 0.4
PLAIN = ("logits", "features")
ROUNDS = 12
RESULT = Path(__file__).parent / "results" / "explanations.json"
Pass = Callable[["np.ndarray[Any, Any]"], object]


def main() -> None:
    """Prints and keeps the table."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    folders = sorted((path.parent for path in SHIPPED.glob(f"*/*/{manifests.FILE}")), key=lambda path: int(path.name))
    table = []
    for folder in {folder.parent.name: folder for folder in folders}.values():
        told = manifests.read_any(folder)
        if isinstance(told, Manifest) and not told.outlines:
            table += measured(folder, told)
    RESULT.write_text(json.dumps({"at_most": MOST, "rows": table}, indent=1) + "\n")
    for row in table:
        print(*(f"{name} {value}" for name, value in row.items()))


def measured(folder: Path, manifest: Manifest) -> list[dict[str, Any]]:
    """Returns a row for OpenVINO in the precision that is served, and one for TensorFlow."""
    pixels = np.random.default_rng(0).standard_normal((1, manifest.side, manifest.side, 1)).astype(np.float32)
    model = architectures.build(manifest.architecture, manifest.params)
    load_into(model, folder / WEIGHTS)
    heat = np.asarray(model(pixels, training=False)["heat"])[0, :, :, 0]
    drawn = _ms([lambda _: heatmap_png(heat, manifest.heat_scale)], pixels)[0]
    ways = {f"openvino {manifest.precision}": on_openvino(folder, manifest), "tensorflow f32": on_tensorflow(model)}
    rows = []
    for engine, (plain, whole) in ways.items():
        spent = _ms([plain, whole], pixels)
        rows.append(
            {
                "version": f"{manifest.name}/{manifest.version}",
                "architecture": manifest.architecture,
                "engine": engine,
                "plain_ms": round(spent[0], 3),
                "with_heat_ms": round(spent[1], 3),
                "drawn_ms": round(drawn, 3),
                "heat_share": round(spent[1] / spent[0] - 1, 3),
                "heat_and_drawing_share": round((spent[1] + drawn) / spent[0] - 1, 3),
            }
        )
    return rows


def on_openvino(folder: Path, manifest: Manifest) -> tuple[Pass, Pass]:
    """Returns a pass without and one with heat."""
    core = ov.Core()

    def compiled(plain: bool) -> Pass:
        model = core.read_model(folder / INT8) if manifest.precision == "int8" else graph(manifest, folder)
        if plain:
            model.remove_result(next(r for r in model.get_results() if "heat" in r.output(0).get_tensor().get_names()))
        hint = floats(core, manifest.precision)
        config = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
        request = core.compile_model(model, "CPU", config).create_infer_request()
        return lambda pixels: run_pass(request, {0: pixels})

    return compiled(True), compiled(False)


def on_tensorflow(model: Any) -> tuple[Pass, Pass]:
    """Returns a pass without and one with heat; TensorFlow leaves out what no output asks for."""

    @tf.function  # type: ignore[untyped-decorator]
    def plain(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        out = model(pixels, training=False)
        return {name: out[name] for name in PLAIN}

    whole = tf.function(lambda x: model(x, training=False))
    return tuple(lambda pixels, run=run: [out.numpy() for out in run(pixels).values()] for run in (plain, whole))  # type: ignore[return-value]


def _ms(ways: list[Pass], pixels: "np.ndarray[Any, Any]") -> list[float]:
    """Returns the least time of each way, taken in turn after a warm-up."""
    spent: list[list[float]] = [[] for _ in ways]
    for turn in range(ROUNDS + 2):
        for way, times in zip(ways, spent, strict=True):
            began = time.process_time()
            way(pixels)
            if turn >= 2:
                times.append(time.process_time() - began)
    return [min(times) * 1e3 for times in spent]


if __name__ == "__main__":
    main()
