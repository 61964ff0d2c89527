"""A promptable network as two calls, whatever its architecture: a slice to an embedding, an embedding and boxes to
masks. Add an architecture: a reader below, and a line in `READERS`."""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from ml_service import architectures
from ml_service.manifest import WEIGHTS, Prompted
from ml_service.prompts import compact, sam
from ml_service.prompts.compact import Plane
from ml_service.prompts.follow import Widened
from ml_service.prompts.memory import Memory
from ml_service.weights import load_into

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Box = Sequence[float]
Run = Callable[[dict[str, Floats]], Floats]


class Reader(Protocol):
    """How an architecture reads slices and boxes, and what it goes by from slice to slice."""

    memory: type[Memory]

    def pixels(self, plane: Plane, hounsfield: bool) -> Floats:
        """Returns what the encoder reads of a slice, (side, side, channels)."""
        ...

    def prompt(self, plane: Plane, boxes: Floats) -> dict[str, Floats]:
        """Returns what the decoder reads beside the embedding, a row a box."""
        ...

    def placed(self, logits: Floats, box: Floats, shape: tuple[int, int]) -> Plane:
        """Returns one box's logits (h, w) as those of the slice."""
        ...


class Compact:
    """Reads for `box_prompt`."""

    memory: type[Memory] = Memory

    def pixels(self, plane: Plane, hounsfield: bool) -> Floats:
        return compact.prepare(plane)

    def prompt(self, plane: Plane, boxes: Floats) -> dict[str, Floats]:
        levels = compact.spread(plane)
        return {
            "patches": np.stack([compact.patch(plane, box, levels) for box in boxes]),
            "rectangles": np.stack([compact.shares(box, plane.shape) for box in boxes]),
        }

    def placed(self, logits: Floats, box: Floats, shape: tuple[int, int]) -> Plane:
        return compact.placed(logits, box, shape)


class Sam:
    """Reads for `lite_medsam`, which was judged by the challenge's rule."""

    memory: type[Memory] = Widened

    def pixels(self, plane: Plane, hounsfield: bool) -> Floats:
        return sam.prepare(plane, hounsfield)

    def prompt(self, plane: Plane, boxes: Floats) -> dict[str, Floats]:
        return {"boxes": sam.boxes(boxes, plane.shape)}

    def placed(self, logits: Floats, box: Floats, shape: tuple[int, int]) -> Plane:
        return sam.placed(logits, shape)


READERS: dict[str, Callable[[], Reader]] = {"box_prompt": Compact, "lite_medsam": Sam}


class Parts(NamedTuple):
    """Both halves of a network, compiled."""

    encode: Run
    decode: Run
    engine: str
    device: str


class PromptNetwork:
    """A version's network. One pass at a time, so that no request takes all cores from the others."""

    def __init__(self, manifest: Prompted, folder: Path, threads: int = 0) -> None:
        network = architectures.build(manifest.architecture, manifest.params)
        load_into(network, folder / WEIGHTS)
        self._parts = compiled(network, threads)
        self._reader = READERS[manifest.architecture]()
        self._turn = threading.Lock()
        self.memory = self._reader.memory
        self.engine, self.device = self._parts.engine, self._parts.device
        self.encoded = 0  # slices so far: tests and figures tell by it what a second box costs

    def encode(self, plane: Plane, hounsfield: bool = False) -> Floats:
        """Returns a slice's embedding, (1, h, w, channels)."""
        pixels = self._reader.pixels(plane, hounsfield)[np.newaxis]
        with self._turn:
            self.encoded += 1
            return self._parts.encode({"pixels": pixels})

    def outline(self, embedding: Floats, plane: Plane, boxes: Sequence[Box]) -> list[Mask]:
        """Returns what each box of one slice holds, as masks of the slice."""
        return [logits > 0 for logits in self.logits(embedding, plane, boxes)]

    def logits(self, embedding: Floats, plane: Plane, boxes: Sequence[Box]) -> list[Plane]:
        """Returns the same before it is settled: above 0 is inside."""
        drawn = np.asarray(boxes, np.float32).reshape(-1, 4)
        read = self._reader.prompt(plane, drawn)
        found = []
        for at in range(len(drawn)):  # box by box: each costs little, and other requests come between
            with self._turn:
                logits = self._parts.decode(
                    {"embedding": embedding} | {name: value[at : at + 1] for name, value in read.items()}
                )
            found.append(self._reader.placed(logits[0, ..., 0], drawn[at], plane.shape))
        return found


def compiled(network: keras.Model, threads: int = 0) -> Parts:
    """Returns the layers "encoder" and "decoder" of a network, each compiled for one slice and one box."""
    encoder, decoder = network.get_layer("encoder"), network.get_layer("decoder")
    if keras.backend.backend() == "tensorflow":
        return Parts(_tensorflow(encoder), _tensorflow(decoder), "tensorflow", "CPU")
    import openvino as ov

    device = str(ov.Core().get_property("CPU", "FULL_DEVICE_NAME")).strip()
    return Parts(_openvino(encoder, threads), _openvino(decoder, threads), "openvino", device)


def _specs(part: keras.Model) -> dict[str, tuple[int, ...]]:
    """Returns each input's shape by name, for one row."""
    inputs = part.input if isinstance(part.input, dict) else {part.input.name: part.input}
    return {name: (1, *tensor.shape[1:]) for name, tensor in inputs.items()}


def _called(part: keras.Model, read: dict[str, Any]) -> Any:
    out = part(read if isinstance(part.input, dict) else next(iter(read.values())), training=False)
    return out["logits"] if isinstance(out, dict) else out


def _tensorflow(part: keras.Model) -> Run:
    import tensorflow as tf

    signature = {name: tf.TensorSpec(shape, tf.float32, name) for name, shape in _specs(part).items()}
    run = tf.function(lambda read: _called(part, read), input_signature=[signature])
    return lambda read: np.asarray(run({name: tf.constant(value) for name, value in read.items()}))


def _openvino(part: keras.Model, threads: int) -> Run:
    import openvino as ov
    from openvino import opset16 as nodes
    from openvino._offline_transformations import apply_moc_transformations
    from openvino.frontend import FrontEndManager

    from ml_service.engines.openvino_pass import run_pass

    specs = _specs(part)
    inputs = {name: nodes.parameter(list(shape), ov.Type.f32, name=name) for name, shape in specs.items()}
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
        return np.array(run_pass(request, given)[0])  # a copy: the next pass overwrites it

    return run
