"""A version whose network reads volumes window by window. It works on one volume at a time, because each takes much
memory and, on a processor, minutes."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_service.batcher import Pass
from ml_service.label_maps import LabelMap, Measured, Outlined, measured
from ml_service.manifest import Calibration, Volumetric
from ml_service.metrics import Meter
from ml_service.running import Passes
from ml_service.served import Seen
from ml_service.served_rules import Step, stepper
from ml_service.sliding_window.clean_up import box_of, clean
from ml_service.sliding_window.grid import Floats, back, grid, resampled
from ml_service.sliding_window.labels import Slab, joined, label_bits, label_map
from ml_service.sliding_window.stream import slabs, total
from ml_service.tasks.ct_tissue import NOT_CT, in_hounsfield_units
from ml_service.tasks.verdict import Verdict, turned_away
from ml_service.turns import Turns
from ml_service.volume import Volume, read, written
from portal_wire.contract import SEGMENTED, Notice

_NOTHING = np.zeros((1, 0), np.float32)
TURN_S = 1.0  # a turn takes minutes: who waits for one comes again, and holds no thread of the caller's meanwhile


class ServedVolume:
    """A version that answers: `Plan` says how its volumes are to come."""

    def __init__(self, manifest: Volumetric, folder: Path, threads: int = 0) -> None:
        self.manifest = manifest
        self.folder = folder
        from ml_service.sliding_window.network import WindowNetwork  # Keras, whose backend is settled by now

        self.network = WindowNetwork(manifest, folder, threads)
        self.meter = Meter(manifest.name, manifest.version, manifest.negative_label)
        self.meter.tell_engine(self.network.engine, self.network.device, "f32")
        self._turns = Turns(1, "volumes", retry_after_s=20)
        self.meter.watch_queue(lambda: self._turns.waiting)

    def see_study(
        self,
        study: bytes,
        wait_s: float,
        begun: "list[Future[Pass]] | None" = None,
        calibration: Calibration | None = None,
        spacing_mm: tuple[float, float] | None = None,
        fast: bool = False,
    ) -> Seen:
        """Answers about one volume, which brings its own spacing; `fast` is the plan's. A step of the request is a
        window, the last one the way back to the volume's own grid.

        Raises ValueError when it does not decode or is too large, Unavailable when its turn does not come in time,
        Conflict when it is called off.
        """
        asked = time.monotonic()
        with self._turns.taken(min(wait_s, TURN_S)):
            return self._see(study, fast, begun, time.monotonic() - asked)

    def _see(self, study: bytes, fast: bool, begun: "list[Future[Pass]] | None", waited_s: float) -> Seen:
        _go_on(begun)
        started = time.monotonic()
        plan, volume = self.manifest.plan, read(study)
        verdict = turned_away(1.0, [NOT_CT])
        outlined: Outlined | None = None
        logits, timings = _NOTHING, {"prepare": 0.0, "network": 0.0, "interpret": 0.0}
        if self.manifest.modalities != ("CT",) or in_hounsfield_units(volume):
            own = grid(volume, plan)
            levels = resampled(volume, own)
            box = box_of(levels > plan.levels[0]) if plan.foreground else (slice(None), slice(None), slice(None))
            cut = levels[box] if box else levels[:0, :0, :0]
            windows, usual = total(cut.shape, plan, fast), total(cut.shape, plan)
            step = stepper(begun, windows + 1)
            _go_on(begun)
            timings["prepare"] = time.monotonic() - started
            labels = np.zeros(own.shape, np.uint8)
            if box:
                labels[box], logits = self._labels(cut, fast, step)
            timings["network"] = time.monotonic() - started - timings["prepare"]
            del levels, cut
            mask = back(labels, own)
            outlined = Outlined(partial(written, mask, volume), self._measured(mask, volume), [])
            step()
            warnings = [_fast(windows, usual)] if fast else []
            verdict = Verdict(SEGMENTED, [], in_distribution=True, ood_score=0.0, warnings=warnings)
        timings["interpret"] = time.monotonic() - started - sum(timings.values())
        self.meter.note(timings, waited_s, 1, [verdict])
        score = np.array([verdict.ood_score], np.float32)
        return Seen(logits, score, _NOTHING[..., None, None], [verdict], timings, None, outlined)

    def _labels(self, cut: Floats, fast: bool, step: Step) -> tuple[LabelMap, Floats]:
        """Returns the label map of a part of the network's grid, cleaned up, and each output's mean logit."""
        plan, names = self.manifest.plan, self.manifest.labels
        sums = np.zeros(self.manifest.outputs)

        def told(parts: Iterator[Slab]) -> Iterator[Slab]:
            for where, logits in parts:
                sums[:] += logits.sum(axis=(0, 1, 2), dtype=np.float64)
                yield where, logits

        parts = told(slabs(cut, self.network, plan, fast, progress=lambda done, count: step()))
        if plan.activation == "softmax":
            labels = label_map(parts, cut.shape)
        else:
            bits = label_bits(parts, cut.shape)
            if self.manifest.clean_up:
                clean(bits, names, plan.axes)
            labels = joined(bits, len(names))
        if not np.isfinite(sums).all():
            raise ValueError("Expected numbers from the network. Received: NaN")
        return labels, (sums / cut.size).astype(np.float32)[np.newaxis]

    def _measured(self, mask: LabelMap, volume: Volume) -> list[Measured]:
        counts = np.zeros(len(self.manifest.labels) + 1, np.int64)
        levels: NDArray[np.float64] = np.zeros(len(counts))
        for number, plane in enumerate(mask):
            counts += np.bincount(plane.ravel(), minlength=len(counts))
            levels += np.bincount(plane.ravel(), volume.levels(number, 0).ravel(), len(counts))
        hounsfield = self.manifest.modalities == ("CT",)
        return [
            measured(
                label,
                index,
                int(counts[index]) / mask.size,
                voxels=int(counts[index]),
                volume_ml=round(int(counts[index]) * volume.voxel_ml, 2),
                mean_hu=round(float(levels[index] / counts[index]), 1) if hounsfield and counts[index] else None,
            )
            for index, label in enumerate(self.manifest.labels, start=1)
        ]

    def close(self) -> None:
        """Waits for the volume that is being worked on."""
        self._turns.close()
        self.meter.close()


def _go_on(begun: "list[Future[Pass]] | None") -> None:
    """Raises Conflict for a request that was called off before its first window."""
    if isinstance(begun, Passes):
        begun.go_on()


def _fast(windows: int, usual: int) -> Notice:
    return Notice(
        code="fast_setting",
        detail=f"Fast setting: {windows} windows in place of {usual}. Edges are less exact than they could be.",
    )
