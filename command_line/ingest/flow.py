"""From a parcel to its results: sent with a key, followed, kept, moved. Nothing leaves incoming/ before that."""

import hashlib
import logging
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from command_line.download import fetch
from command_line.ingest.box import Box, Parcel
from command_line.ingest.rules import Rules
from command_line.portal import Portal, Refused
from command_line.watch import OVER
from portal_wire.contract import Job, JobState

AT_ONCE = 50  # parcels that were sent and are not over
LOOK_S = 1.0
PAUSES_S = (1, 2, 5, 10, 30)
_LOG = logging.getLogger("lightbox.ingest")


@dataclass
class Sent:
    """A parcel on its way."""

    parcel: Parcel
    jobs: list[Job]
    remarks: list[str] = field(default_factory=list)  # what of it was refused


class Flow:
    """One watcher of one box. Its log lines name no file: a name may be a patient's."""

    def __init__(self, portal: Portal, box: Box, rules: Rules) -> None:
        self._portal, self._box, self._rules = portal, box, rules
        self._under_way: dict[str, Sent] = {}

    def run(self, stop: threading.Event) -> None:
        """Goes on until `stop`. A portal that is away is waited for, ever longer, and nothing is rejected for it."""
        failures = 0
        while not stop.is_set():
            try:
                self.step()
                failures = 0
            except Exception as error:  # the portal, the share or the queue is away; none of it is the images' doing
                _LOG.warning("ingest_waits", extra={"facts": {"error": type(error).__name__, "times": failures + 1}})
                failures += 1
            stop.wait(PAUSES_S[min(failures, len(PAUSES_S)) - 1] if failures else LOOK_S)

    def step(self) -> bool:
        """Sends what has arrived and finishes what is over. False when there was and is nothing to do."""
        for parcel in self._box.arrived(set(self._under_way), AT_ONCE - len(self._under_way)):
            self._send(parcel)
        for sent in list(self._under_way.values()):
            if self._is_over(sent):
                self._finish(sent)
                del self._under_way[sent.parcel.name]
        return bool(self._under_way)

    def _send(self, parcel: Parcel) -> None:
        key = hashlib.sha256(f"{parcel.name}\n{parcel.stamp}".encode()).hexdigest()
        try:
            uploaded = self._portal.upload(parcel.files, self._rules.models_for(parcel.name), None, key=key)
        except Refused as error:
            self._box.rejected(parcel, error.format_message())
            _LOG.info("ingest_rejected", extra={"facts": {"files": len(parcel.files)}})
            return
        remarks = [f"{each.filename}: {each.detail}" for each in uploaded.rejected]
        if not uploaded.jobs:
            remarks.append("No model reads it: the site has no default model for images of this kind.")
        self._under_way[parcel.name] = Sent(parcel, uploaded.jobs, remarks)
        _LOG.info("ingest_sent", extra={"facts": {"files": len(parcel.files), "jobs": len(uploaded.jobs)}})

    def _is_over(self, sent: Sent) -> bool:
        self._box.still_at_it(sent.parcel)
        sent.jobs = [job if job.state in OVER else self._portal.job(job.id) for job in sent.jobs]
        return all(job.state in OVER for job in sent.jobs)

    def _finish(self, sent: Sent) -> None:
        reasons = list(sent.remarks)
        began = time.monotonic()
        for job in sent.jobs:
            if job.state == JobState.SUCCEEDED:
                with tempfile.TemporaryDirectory(prefix="lightbox-") as half:
                    fetch(self._portal, job.id, Path(half) / job.id)
                    self._box.keep_result(sent.parcel, job.id, Path(half) / job.id)
            else:
                reasons.append(f"{job.model}: {job.error.detail if job.error else job.state}")
        if reasons:
            self._box.rejected(sent.parcel, "\n".join(reasons))
        else:
            self._box.processed(sent.parcel)
        facts = {"jobs": len(sent.jobs), "rejected": bool(reasons), "kept_s": round(time.monotonic() - began, 3)}
        _LOG.info("ingest_done", extra={"facts": facts})
