"""What computes a network: OpenVINO on a processor, TensorFlow on a graphics card. Neither is loaded before the
choice is made, because Keras settles on one backend for the life of a process.

Add an engine: a file here with `Network(manifest, folder, threads)`, and a line in `open_network`.
"""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ml_service.manifest import FILE, Manifest, read

_LOG = logging.getLogger("lightbox.ml")
ENGINES = ("auto", "openvino", "tensorflow")
DEVICES = Path("/dev")
CARDS = ("nvidia[0-9]*", "kfd")  # device files of NVIDIA's and AMD's drivers


class Outputs(NamedTuple):
    """What one pass of the network gives."""

    logits: NDArray[np.float32]  # (B, labels)
    features: NDArray[np.float32]  # (B, C), pooled maps
    heat: NDArray[np.float32]  # (B, h, w, labels), what each place adds to each logit


class Network(Protocol):
    """A version's network, ready to run. Not thread-safe by promise: the batcher calls it from one thread."""

    side: int
    engine: str
    device: str  # what it runs on, in words
    precision: str  # of its sums: f32, bf16 or int8
    rows: int | None  # images of several requests that one pass takes at most; None: as many as the tier is set to

    def __call__(self, pixels: NDArray[np.float32]) -> Outputs:
        """Runs a batch (B, side, side, channels). The arrays belong to the caller."""
        ...


def settle(asked: str, model_dir: Path) -> None:
    """Chooses Keras's backend for this process, if that is still open. `asked` is a name or "auto".

    Networks are built on Keras's own OpenVINO backend, which starts in half the time and a third of the memory of
    TensorFlow; when any model in `model_dir` names TensorFlow, TensorFlow builds all of them.
    """
    if "keras" not in sys.modules:
        needed = "tensorflow" in (usual(asked), *_named(model_dir))
        os.environ["KERAS_BACKEND"] = "tensorflow" if needed else "openvino"


def usual(asked: str) -> str:
    """Returns the engine of models that name none; for "auto" TensorFlow if it sees a graphics card, else OpenVINO."""
    if asked != "auto":
        return asked
    return "tensorflow" if _has_card() else "openvino"


def open_network(manifest: Manifest, folder: Path, asked: str = "auto", threads: int = 0) -> Network:
    """Returns a version's network. `asked` counts when the manifest names none; 0 `threads`: the engine's choice."""
    engine = manifest.engine or usual(asked)
    network: Network
    if engine == "tensorflow":
        from ml_service.engines import tensorflow

        network = tensorflow.Network(manifest, folder, threads)
    else:
        from ml_service.engines import openvino

        network = openvino.Network(manifest, folder, threads)
    facts = {"model": manifest.name, "version": manifest.version, "engine": network.engine}
    facts |= {"device": network.device, "precision": network.precision}
    _LOG.info("network built", extra={"facts": facts})
    return network


def warm(network: Network, rows: int) -> None:
    """Runs the smallest and the largest batch, so that no request pays for the first pass."""
    for count in (1, rows):
        network(np.zeros((count, network.side, network.side, 1), np.float32))


@cache
def _has_card() -> bool:
    """Whether TensorFlow can compute on a graphics card; it is only asked, and loaded, where there is one."""
    if not any(path for pattern in CARDS for path in DEVICES.glob(pattern)):
        return False
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def _named(model_dir: Path) -> Iterator[str | None]:
    for path in model_dir.glob(f"*/*/{FILE}"):
        with suppress(ValueError):  # a broken one is the registry's to report
            yield read(path.parent).engine
