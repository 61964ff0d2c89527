"""One loaded version: its network behind a batcher, and the path from an image to an answer."""

import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_service import tasks
from ml_service.batcher import Batcher, Expired, Pass
from ml_service.engines import open_network, warm
from ml_service.label_maps import Outlined, measured_image, png
from ml_service.manifest import Calibration, Manifest
from ml_service.metrics import Meter
from ml_service.refusal import Refusal
from ml_service.settings import Settings
from ml_service.tasks.decode import Grey, grey_plane, memory_errors, stored_shape
from ml_service.tasks.verdict import Verdict
from portal_wire.contract import Notice
from portal_wire.errors import Conflict


@dataclass(frozen=True)
class Seen:
    """The outcome of a request: one row an image."""

    logits: NDArray[np.float32]  # (n, labels)
    ood_scores: NDArray[np.float32]  # (n,)
    heat: NDArray[np.float32]  # (n, h, w, labels)
    verdicts: list[Verdict]
    timings_s: dict[str, float]  # prepare, network, interpret
    calibration: Calibration | None  # the site's that the verdicts are by; None: as shipped
    outlined: Outlined | None = None  # None: the model outlines nothing, or refused the study


class Served:
    """A version that answers."""

    def __init__(self, manifest: Manifest, folder: Path, settings: Settings) -> None:
        self.manifest = manifest
        self.folder = folder
        self.task: Any = tasks.load(manifest.task)
        self.refusal = Refusal.load(folder, manifest)
        self.network = open_network(manifest, folder, settings.engine, settings.threads)
        warm(self.network, settings.batch_rows)
        self.meter = Meter(manifest.name, manifest.version, manifest.negative_label)
        self.meter.tell_engine(self.network.engine, self.network.device, self.network.precision)
        self.batch_rows = settings.batch_rows
        name = f"engine-{manifest.name}-{manifest.version}"
        rows = min(settings.batch_rows, self.network.rows or settings.batch_rows)
        self.batcher = Batcher(self.network, rows, settings.queue_rows, name)
        self.meter.watch_queue(self.batcher.rows_waiting)

    @memory_errors()
    def see_study(
        self,
        study: bytes,
        wait_s: float,
        begun: "list[Future[Pass]] | None" = None,
        calibration: Calibration | None = None,
        spacing_mm: tuple[float, float] | None = None,
        judged: bool = True,
    ) -> Seen:
        """Answers about one PNG or JPEG, by a site's `calibration` or the shipped one. `spacing_mm`, a pixel's height
        and width, is for areas. Unless `judged`, the network's logits are all that is looked for. Raises ValueError
        when it does not decode, Unavailable when full."""
        started = time.monotonic()
        plane = grey_plane(study)
        pixels = self.task.prepare(plane, self.manifest.side)[np.newaxis]  # (1, side, side, 1)
        outline = None
        if self.manifest.outlines:
            outline = partial(self._outline, shape=stored_shape(study), spacing_mm=spacing_mm)
        prepared_s = time.monotonic() - started
        if not judged:
            return self._logits(pixels, prepared_s, wait_s, begun, calibration)
        return self._see(pixels, plane, prepared_s, wait_s, begun, calibration, outline)

    def see_pixels(
        self,
        pixels: NDArray[np.float32],
        wait_s: float,
        begun: "list[Future[Pass]] | None" = None,
        calibration: Calibration | None = None,
        judged: bool = True,
    ) -> Seen:
        """Answers about prepared images (n, side, side, 1). Unless `judged`, the network's logits are all that is
        looked for: no score of strangeness, no verdict."""
        if not judged:
            return self._logits(pixels, 0.0, wait_s, begun, calibration)
        return self._see(pixels, None, 0.0, wait_s, begun, calibration)

    def _logits(
        self,
        pixels: NDArray[np.float32],
        prepared_s: float,
        wait_s: float,
        begun: "list[Future[Pass]] | None",
        calibration: Calibration | None,
    ) -> Seen:
        done = self._through(pixels, wait_s, begun)
        timings = {"prepare": prepared_s, "network": done.network_s, "interpret": 0.0}
        self.meter.note(timings, done.waited_s, done.batch_rows, [])
        unknown = np.full(len(pixels), np.nan, np.float32)
        return Seen(done.outputs.logits, unknown, done.outputs.heat, [], timings, calibration)

    def _see(
        self,
        pixels: NDArray[np.float32],
        plane: Grey | None,
        prepared_s: float,
        wait_s: float,
        begun: "list[Future[Pass]] | None",
        calibration: Calibration | None,
        outline: "Callable[[NDArray[np.float32]], Outlined] | None" = None,
    ) -> Seen:
        done = self._through(pixels, wait_s, begun)
        started = time.monotonic()
        scores = self.refusal.score(done.outputs.features, pixels)  # (n,)
        used = self.manifest.model_copy(update={"calibration": calibration}) if calibration else self.manifest
        verdicts = [
            self.task.interpret(logits, float(score), plane, used)
            for logits, score in zip(done.outputs.logits, scores, strict=True)
        ]
        if plane is not None and not verdicts[0].in_distribution:
            verdicts = [self._with_a_hint(verdicts[0], plane, wait_s, begun)]
        outlined = None
        if outline is not None and verdicts[0].in_distribution:
            outlined = outline(done.outputs.heat[0])
            verdicts = [replace(verdicts[0], warnings=[*verdicts[0].warnings, *outlined.warnings])]
        timings = {
            "prepare": prepared_s,
            "network": done.network_s,
            "interpret": time.monotonic() - started,
        }
        self.meter.note(timings, done.waited_s, done.batch_rows, verdicts)
        return Seen(done.outputs.logits, scores, done.outputs.heat, verdicts, timings, calibration, outlined)

    def _outline(
        self, heat: NDArray[np.float32], shape: tuple[int, int], spacing_mm: tuple[float, float] | None
    ) -> Outlined:
        found = self.task.outline(heat, shape)
        measurements = measured_image(found, self.manifest.labels, spacing_mm)
        return Outlined(partial(png, found), measurements, self.task.missing(measurements))

    def _through(self, pixels: NDArray[np.float32], wait_s: float, begun: "list[Future[Pass]] | None" = None) -> Pass:
        future = self.batcher.submit(pixels, wait_s)
        if begun is not None:
            begun.append(future)
        try:
            return future.result(wait_s + 60)  # the engine drops it after wait_s; a pass takes far less than 60 s
        except TookTooLong:
            future.cancel()
            raise Expired("The network did not answer in time.", code="expired", retry_after_s=1) from None
        except CancelledError:
            raise Conflict("This request was called off.", code="cancelled") from None

    def _with_a_hint(self, verdict: Verdict, plane: Grey, wait_s: float, begun: "list[Future[Pass]] | None") -> Verdict:
        """Adds why a film may have been refused: it may lie on its side, or be a negative."""
        if any(warning.code == "blank_image" for warning in verdict.warnings):
            return verdict
        variants = self.task.variants(plane, self.manifest.side)
        pixels = np.stack(list(variants.values()))
        scores = self.refusal.score(self._through(pixels, wait_s, begun).outputs.features, pixels)
        best = int(scores.argmin())
        if scores[best] > self.manifest.typical.threshold:
            return verdict
        code = list(variants)[best]
        hint = Notice(code=code, detail=self.task.VARIANT_WARNINGS[code])
        return Verdict(
            verdict.label, [], in_distribution=False, ood_score=verdict.ood_score, warnings=[*verdict.warnings, hint]
        )

    def close(self) -> None:
        """Lets the queue run empty and ends the engine thread."""
        self.batcher.close()
        self.meter.close()
