"""A version that outlines what a person drew boxes round. Studies and their slices' embeddings are kept while there is
room, so that a further box on the same slice needs neither the study nor the encoder."""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ml_service import tasks
from ml_service.batcher import Pass
from ml_service.manifest import Prompted
from ml_service.metrics import Meter
from ml_service.prompts.boxes import Prompt, check
from ml_service.prompts.compact import Plane
from ml_service.prompts.least_recent import LeastRecent
from ml_service.prompts.memory import Box
from ml_service.prompts.studies import Studies, Study
from ml_service.served import Seen
from ml_service.served_rules import stepper
from ml_service.settings import Settings
from ml_service.tasks.verdict import Verdict
from ml_service.turns import Turns
from portal_wire.contract import SEGMENTED
from portal_wire.errors import BadRequest, Conflict

AT_ONCE = 6  # requests; each may hold a volume that was not kept
MIB = 2**20
_NOTHING = np.zeros((1, 0), np.float32)


class ServedPrompts:
    """A version that answers, by a network in two halves."""

    def __init__(self, manifest: Prompted, folder: Path, settings: Settings, studies: Studies) -> None:
        self.manifest = manifest
        self.folder = folder
        self.task: Any = tasks.load(manifest.task)
        from ml_service.prompts.networks import PromptNetwork  # Keras, whose backend is settled by now

        self.network = PromptNetwork(manifest, folder, settings.threads)
        self.meter = Meter(manifest.name, manifest.version, manifest.negative_label)
        self.meter.tell_engine(self.network.engine, self.network.device, "f32")
        self._turns = Turns(AT_ONCE, "studies", retry_after_s=2)
        self.meter.watch_queue(lambda: self._turns.waiting)
        self._studies = studies
        self._embeddings: LeastRecent[Plane] = LeastRecent(settings.embeddings_mb * MIB)

    def see_boxes(
        self,
        study: bytes | None,
        sha256: str | None,
        prompts: Sequence[Prompt],
        axes: int,
        wait_s: float,
        begun: "list[Future[Pass]] | None" = None,
        spacing_mm: tuple[float, float] | None = None,
    ) -> Seen:
        """Answers about what the boxes hold, on a study that comes along or on one that is held by its SHA-256. `axes`
        tells what was drawn on: 2 an image, 3 a volume.

        Raises ValueError for a study that does not decode, Conflict for one that is not held or a request that was
        called off, Unprocessable for a box outside of the study, Unavailable when there is no place in time.
        """
        asked = time.monotonic()
        with self._turns.taken(wait_s):
            started = time.monotonic()
            known = self._study(study, sha256)
            check(prompts, axes, known.shape)
            prepared_s = time.monotonic() - started
            step = stepper(begun, self.task.count_steps(known, prompts))
            outline = partial(self._outline, known)
            labels = self.task.drawn(known, prompts, outline, step, self.network.memory)
            network_s = time.monotonic() - started - prepared_s
            outlined = self.task.outlined(known, prompts, labels, spacing_mm)
        verdict = Verdict(SEGMENTED, [], in_distribution=True, ood_score=0.0, warnings=outlined.warnings)
        timings = {
            "prepare": prepared_s,
            "network": network_s,
            "interpret": time.monotonic() - started - prepared_s - network_s,
        }
        self.meter.note(timings, started - asked, len(prompts), [verdict])
        return Seen(_NOTHING, np.zeros(1, np.float32), _NOTHING[..., None, None], [verdict], timings, None, outlined)

    def _study(self, study: bytes | None, sha256: str | None) -> Study:
        if study is None:
            held = self._studies.get(sha256) if sha256 else None
            if held is None:
                raise Conflict("This study is not held here. Send it along.", code="study_not_held")
            return held
        came = self._studies.read(study)
        if sha256 not in (None, came.sha256):
            raise BadRequest("Parameter study_sha256: it is not that of the study that came.")
        return came

    def _outline(self, study: Study, z: int, boxes: Sequence[Box]) -> list[Plane]:
        plane = study.plane(z)
        embedding = self._embeddings.get((study.sha256, z))
        if embedding is None:
            embedding = self.network.encode(plane, study.hounsfield)
            self._embeddings.put((study.sha256, z), embedding, embedding.nbytes)
        return self.network.logits(embedding, plane, boxes)

    def close(self) -> None:
        """Waits for the requests that are being worked on."""
        self._turns.close()
        self.meter.close()
