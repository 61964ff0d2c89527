"""Which files of an answer leave without identity, and what their facts say."""

import json
from typing import Any

from app_service.exports.without_identity import entries, key_of, other_id
from app_service.storage.clock import now
from portal_wire.contract import Artifact, Job, JobState, Result, Review, Timings

KEY = key_of("a secret of this portal")
STATISTICS = {"study_id": "the study's own", "model": "ct-tissue", "labels": {"0": "background"}, "patient": "Canary"}


def job(*names: str) -> Job:
    timings = Timings(queue=0, prepare=0, network=1, interpret=0, total=1)
    facts: dict[str, Any] = {"label": "segmented", "findings": [], "calibrated": False, "warnings": []}
    result = Result(**facts, calibration={"at": "2026"}, in_distribution=True, ood_score=0, timings_s=timings)
    files = [Artifact(name=name, media_type="text/plain", size_bytes=None, url="/") for name in names]
    review = Review(verdict="unsure", comment="Canary", labels=["Canary"], reviewed_by="canary", reviewed_at=now())
    known: dict[str, Any] = {"id": "1", "study_id": "2", "model": "m", "version": "1", "state": JobState.SUCCEEDED}
    known |= {"attempt": 1, "position": None, "progress": None, "created_at": now(), "started_at": now()}
    return Job(**known, finished_at=now(), error=None, result=result, artifacts=files, review=review)


def test_a_file_that_nobody_thought_of_stays_here() -> None:
    known = ("mask.png", "mask_corrected.nii.gz", "segs.npz", "segmentations/left_lung.nii.gz", "surfaces/air.stl")
    known += ("seg_corrected.dcm", "overlay_corrected.png", "statistics_corrected.json", "measurements_corrected.csv")
    unknown = ("letter.txt", "seg.dcm.bak", "segmentations/a/b.nii.gz", "segmentations/Jane Doe.nii.gz", "x/seg.dcm")
    found = dict(entries(job(*known, *unknown), lambda name: b"", lambda data: b"", KEY))
    assert set(found) == {"image.png", *known, "result.json", "identity.txt"}


def test_facts_are_written_anew_from_what_is_known_of_them() -> None:
    given = {"statistics.json": json.dumps(STATISTICS).encode()}
    found = dict(entries(job("statistics.json"), given.__getitem__, lambda data: data, KEY))
    kept = {"model": "ct-tissue", "labels": {"0": "background"}, "study_id": "2"}
    assert json.loads(found["statistics.json"]()) == kept
    told = json.loads(found["result.json"]())
    assert set(told) == {"id", "study_id", "model", "version", "fast", "purpose", "result", "review"}
    assert told["review"] == {"verdict": "unsure"} and "calibration" not in told["result"]


def test_other_ids_are_the_same_here_and_others_elsewhere() -> None:
    assert other_id("1", KEY) == other_id("1", key_of("a secret of this portal")) != other_id("2", KEY)
    assert other_id("1", KEY) != other_id("1", key_of("another portal's"))
