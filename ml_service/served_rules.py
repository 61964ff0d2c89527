"""A version of fixed rules: no network, no queue. It works on one study at a time, because each takes much memory."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np

from ml_service import tasks
from ml_service.batcher import Pass
from ml_service.label_maps import Outlined
from ml_service.manifest import Calibration, Rules
from ml_service.metrics import Meter
from ml_service.prompts.studies import Studies
from ml_service.running import Passes
from ml_service.served import Seen
from ml_service.tasks.verdict import Verdict
from ml_service.turns import Turns
from portal_wire.errors import Conflict

_NOTHING = np.zeros((1, 0), np.float32)
Step = Callable[[], None]


class ServedRules:
    """A version that answers, by its task alone: `read(study)`, then `outline(volume, ...)`."""

    def __init__(self, manifest: Rules, folder: Path, studies: Studies) -> None:
        self.manifest = manifest
        self.folder = folder
        self.task: Any = tasks.load(manifest.task)
        self._studies = studies
        self.meter = Meter(manifest.name, manifest.version, manifest.negative_label)
        self.meter.tell_engine("rules", "CPU", "exact")
        self._turns = Turns(1, "volumes", retry_after_s=5)
        self.meter.watch_queue(lambda: self._turns.waiting)

    def see_study(
        self,
        study: bytes,
        wait_s: float,
        begun: "list[Future[Pass]] | None" = None,
        calibration: Calibration | None = None,
        spacing_mm: tuple[float, float] | None = None,
    ) -> Seen:
        """Answers about one volume, which brings its own spacing; nothing here is calibrated. Raises ValueError when
        it does not decode, Unavailable when its turn does not come in time, Conflict when it is called off."""
        started = time.monotonic()
        with self._turns.taken(wait_s):
            return self._see(study, begun, time.monotonic() - started)

    def _see(self, study: bytes, begun: "list[Future[Pass]] | None", waited_s: float) -> Seen:
        if isinstance(begun, Passes):  # it may have waited long for its turn
            begun.go_on()
        started = time.monotonic()
        volume = self.task.read(study)
        self._studies.hold(study, volume)
        read_s = time.monotonic() - started
        verdict: Verdict
        outlined: Outlined | None
        verdict, outlined = self.task.outline(volume, self.manifest, stepper(begun, self.task.steps(volume)))
        timings = {"prepare": read_s, "network": 0.0, "interpret": time.monotonic() - started - read_s}
        self.meter.note(timings, waited_s, 1, [verdict])
        scores = np.array([verdict.ood_score], np.float32)
        return Seen(_NOTHING, scores, _NOTHING[..., None, None], [verdict], timings, None, outlined)

    def close(self) -> None:
        """Waits for the study that is being worked on."""
        self._turns.close()
        self.meter.close()


def stepper(begun: "list[Future[Pass]] | None", count: int) -> Step:
    """Returns what a task calls after each of its `count` steps: so they are seen by who asks how far the request is.

    The step raises Conflict once the request was called off.
    """
    steps: list[Future[Any]] = [Future() for _ in range(count)]
    if begun is not None:
        for each in steps:
            begun.append(each)  # one by one: a request that was called off calls each off
    left = iter(steps)

    def step() -> None:
        done = next(left)
        if not done.set_running_or_notify_cancel():
            raise Conflict("This request was called off.", code="cancelled")
        done.set_result(None)

    return step
