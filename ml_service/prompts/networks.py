"""A promptable network as two calls, whatever its architecture: a slice to an embedding, an embedding and boxes to
masks. Add an architecture: a reader below, and a line in `READERS`."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from ml_service import architectures
from ml_service.engines.compiled import Floats, Run, compiled
from ml_service.manifest import WEIGHTS, Prompted
from ml_service.prompts import compact, sam
from ml_service.prompts.compact import Plane
from ml_service.prompts.follow import Widened
from ml_service.prompts.memory import Memory
from ml_service.weights import load_into

Mask = NDArray[np.bool_]
Box = Sequence[float]


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
        self._parts = compiled_halves(network, threads)
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


def compiled_halves(network: keras.Model, threads: int = 0) -> Parts:
    """Returns the layers "encoder" and "decoder" of a network, each compiled for one slice and one box."""
    encoder, decoder = (compiled(network.get_layer(name), threads) for name in ("encoder", "decoder"))
    return Parts(encoder.run, decoder.run, encoder.engine, encoder.device)
