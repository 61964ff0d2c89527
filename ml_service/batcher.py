"""One engine thread a model. It takes whatever waits, up to a full batch, and never waits for more to come.

On a CPU this buys tail latency and admission control more than throughput; on a GPU both.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ml_service.engines import Outputs
from portal_wire.errors import Unavailable

_LOG = logging.getLogger("lightbox.ml")


class Expired(Unavailable):
    """It waited past its deadline: whoever asked has gone."""


class Pass(NamedTuple):
    """One request's share of a pass of the network."""

    outputs: Outputs
    waited_s: float
    network_s: float
    batch_rows: int


@dataclass
class Waiting:
    """Prepared images (n, H, W, C) in the queue."""

    pixels: NDArray[np.float32]
    deadline: float  # time.monotonic()
    since: float = field(default_factory=time.monotonic)
    answer: "Future[Pass]" = field(default_factory=Future)


class Batcher:
    """A bounded queue in front of a network."""

    def __init__(
        self, run: Callable[[NDArray[np.float32]], Outputs], batch_rows: int, queue_rows: int, name: str = "engine"
    ) -> None:
        self._run = run
        self._batch_rows = batch_rows
        self._queue_rows = queue_rows
        self._queue: deque[Waiting] = deque()
        self._changed = threading.Condition()
        self._open = True
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, pixels: NDArray[np.float32], wait_s: float) -> "Future[Pass]":
        """Queues (n, H, W, C) and returns the future of its pass; cancelling it takes it out of the queue.

        Raises Unavailable with `retry_after_s` when the queue is full. The future raises Expired when the
        images were not begun within `wait_s` seconds.
        """
        item = Waiting(pixels, time.monotonic() + wait_s)
        with self._changed:
            if not self._open:
                raise Unavailable("This model is being unloaded.", code="unloading", retry_after_s=1)
            if self.rows_waiting() + len(pixels) > self._queue_rows:
                raise Unavailable("The model's queue is full.", code="queue_full", retry_after_s=1)
            self._queue.append(item)
            self._changed.notify()
        return item.answer

    def rows_waiting(self) -> int:
        """Images in the queue; those that were called off take nobody's place."""
        return sum(len(item.pixels) for item in tuple(self._queue) if not item.answer.cancelled())

    def close(self) -> None:
        """Ends the engine thread once the queue is empty, and waits for it."""
        with self._changed:
            self._open = False
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or not self._open)
                if not self._queue:
                    return
                batch = self._take()
            if batch:
                self._answer(batch)

    def _take(self) -> list[Waiting]:
        """Returns what fits in one pass, without those that were cancelled or came too late."""
        batch: list[Waiting] = []
        rows = 0
        while self._queue and (not batch or rows + len(self._queue[0].pixels) <= self._batch_rows):
            item = self._queue.popleft()
            if not item.answer.set_running_or_notify_cancel():
                continue
            if item.deadline < time.monotonic():
                item.answer.set_exception(Expired("This request waited too long.", code="expired", retry_after_s=1))
                continue
            batch.append(item)
            rows += len(item.pixels)
        return batch

    def _answer(self, batch: list[Waiting]) -> None:
        began = time.monotonic()
        parts = [item.pixels for item in batch]
        try:
            pixels = np.concatenate(parts) if len(parts) > 1 else parts[0]  # a full request is 3 MB: not copied
            outputs = self._run(pixels)
            _same_rows(len(pixels), outputs)
        except Exception as error:
            for item in batch:
                item.answer.set_exception(_could_not_run(error))
            return
        took = time.monotonic() - began
        at, rows = 0, len(outputs.logits)
        for item in batch:
            upto = at + len(item.pixels)
            share = Outputs(*(part[at:upto] for part in outputs))
            item.answer.set_result(Pass(share, began - item.since, took, rows))
            at = upto


def _could_not_run(error: Exception) -> Unavailable:
    """A model's images have one shape and finite numbers, so no study is the cause: memory may be, and that passes.
    Whoever asked is to come again, and it costs the study nothing."""
    _LOG.error("network_failed", extra={"facts": {"error": type(error).__name__}})
    failure = Unavailable("The model's network could not run.", code="network_failed", retry_after_s=5)
    failure.__cause__ = error
    return failure


def _same_rows(asked: int, outputs: Outputs) -> None:
    """Rows are told apart by their place alone, so that one more or less would be another patient's."""
    if any(len(part) != asked for part in outputs):
        raise RuntimeError(f"Expected {asked} rows from the network. Received: {[len(part) for part in outputs]}")
