"""A network for volumes, compiled for windows of one size."""

from pathlib import Path

from ml_service import architectures
from ml_service.engines.compiled import Floats, compiled
from ml_service.manifest import WEIGHTS, Volumetric
from ml_service.weights import load_into

PATIENCE_S = 600.0  # a window of the largest network takes half a minute of one core


class WindowNetwork:
    """A version's network: windows (1, d, h, w, 1) of levels 0 .. 1 to logits (1, d, h, w, outputs)."""

    def __init__(self, manifest: Volumetric, folder: Path, threads: int = 0) -> None:
        network = architectures.build(manifest.architecture, manifest.params)
        load_into(network, folder / WEIGHTS)
        (name,) = (each.name for each in network.inputs)
        self._compiled = compiled(network, threads, {name: (*manifest.plan.size, 1)}, PATIENCE_S)
        self._input = name
        self.outputs = int(network.output["logits"].shape[-1])
        self.engine, self.device = self._compiled.engine, self._compiled.device

    def __call__(self, windows: Floats) -> Floats:
        return self._compiled.run({self._input: windows})
