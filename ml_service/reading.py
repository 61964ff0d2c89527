"""Studies are decoded and prepared in the order they came, as many at once as there are cores. More at once end no
sooner, each takes longer, and they come to the network in one bunch (16 clients with films on two cores: 5 % fewer
answers a second, the slowest 1 % of them a quarter later)."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ml_service.batcher import Expired
from ml_service.tasks.decode import Grey

_READERS = ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="reader")
Read = Callable[[], tuple[Grey, NDArray[np.float32]]]


class Prepared(NamedTuple):
    """What a network is to see of a request, and what that took."""

    pixels: NDArray[np.float32]  # (n, side, side, 1)
    plane: Grey | None = None  # the image as it came; None when only pixels came
    waited_s: float = 0.0  # for its turn
    took_s: float = 0.0


def in_turn(read: Read, wait_s: float) -> Prepared:
    """Returns what `read` makes of one study: the image as it came, and pixels. Raises what that raises, and Expired
    for a study whose turn does not come within `wait_s` seconds."""
    asked = time.monotonic()

    def timed() -> Prepared:
        began = time.monotonic()
        plane, pixels = read()
        return Prepared(pixels, plane, began - asked, time.monotonic() - began)

    reading = _READERS.submit(timed)
    try:
        return reading.result(wait_s)
    except TookTooLong:
        if reading.cancel():
            raise Expired("This request waited too long.", code="expired", retry_after_s=1) from None
        return reading.result()  # it has begun, and what is begun is read to its end
