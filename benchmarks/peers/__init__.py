"""Other people's servers around the network that Lightbox ships, each as its own documentation advises.

All of them run the same engine on the same weights, take a film or a prepared tensor as the request's body, batch up
to BATCH and answer with the logit: what differs is the server.
"""

import numpy as np
from numpy.typing import NDArray

from benchmarks.shipped import FOLDER, shipped
from ml_service import tasks
from ml_service.engines import Network, open_network, settle, warm
from ml_service.settings import SHIPPED
from ml_service.tasks.decode import grey_plane

BATCH = 4  # as Lightbox's passes; mosec answers a tenth more films with it than with 16
JPEG = b"\xff\xd8"

Pixels = NDArray[np.float32]


def opened() -> Network:
    """The network, ready for any batch up to BATCH, built as the ML tier builds it."""
    settle("auto", SHIPPED)
    network = open_network(shipped(), FOLDER)
    warm(network, BATCH)
    return network


class Reader:
    """From a request's body to what the network reads."""

    def __init__(self) -> None:
        manifest = shipped()
        self._prepare, self._side = tasks.load(manifest.task).prepare, manifest.side

    def pixels(self, body: bytes) -> Pixels:
        """(side, side, 1), of a JPEG or of little-endian float32 in that order."""
        if body.startswith(JPEG):
            prepared: Pixels = self._prepare(grey_plane(body), self._side)
            return prepared
        return np.frombuffer(body, "<f4").reshape(self._side, self._side, 1)


def logits(network: Network, pixels: list[Pixels]) -> list[float]:
    """One number an image."""
    return [float(row[0]) for row in network(np.stack(pixels)).logits]
