"""The files beside a corrected mask: what its numbers mean and how large they are, the mask over its picture, a table,
and for a DICOM study a Segmentation of its own, which says what a person had a hand in."""

import json
from collections.abc import Callable, Container, Sequence
from typing import Any

from sqlalchemy import Row

from app_service.domain.correction import shown
from app_service.exports.seg_request import Source, segmentation
from app_service.exports.structure_table import CORRECTED_TABLE, corrected_table
from app_service.masks.corrected import CORRECTED, corrected_folder
from app_service.parts import Parts
from portal_wire.contract import Job, Measurement
from portal_wire.errors import Internal, NotFound

OVERLAY, SEG = "overlay_corrected.png", "seg_corrected.dcm"
STATISTICS = "statistics_corrected.json"
MASKS = (f"{CORRECTED}.png", f"{CORRECTED}.nii.gz")
ALL = (*MASKS, OVERLAY, SEG, STATISTICS, CORRECTED_TABLE)


def beside(artifacts: Container[str]) -> dict[str, str]:
    """Names and media types of the files beside the corrected mask of a job that has `artifacts`."""
    files = {STATISTICS: "application/json", CORRECTED_TABLE: "text/csv", OVERLAY: "image/png"}
    return files | ({SEG: "application/dicom"} if "seg.dcm" in artifacts else {})


def statistics(job: Job, other: Job, study: Row[Any], measurements: Sequence[Measurement]) -> bytes:
    """As `statistics.json`, and beside each number what outlined it: `other`, where its mask took the place of the
    job's own."""
    taken = set(shown(other))
    whose = {each.index: other if each.index in taken else job for each in measurements}
    facts = {
        "model": job.model,
        "version": job.version,
        "fast": job.fast,
        "study_id": job.study_id,
        "shape": study.shape,
        "spacing_mm": study.spacing_mm,
        "labels": {"0": "background"} | {str(each.index): each.label for each in measurements},
        "structures": [each.model_dump() for each in measurements],
        "sources": {
            str(index): Source(by.model, by.version, boxed=bool(by.prompts), fast=by.fast)._asdict()
            for index, by in whose.items()
        },
    }
    return json.dumps(facts, indent=2).encode()


def corrected_file(here: Parts, job: Job, name: str, over: Callable[[bytes], bytes]) -> bytes:
    """One of ALL. `over` draws a mask over its study. Raises NotFound."""
    if job.correction is None or job.correction.corrected_at is None:
        raise NotFound("The job has no such file.")
    folder = corrected_folder(job.id, job.attempt, job.correction.corrected_at)
    if name == CORRECTED_TABLE:
        return corrected_table(job)
    if name == STATISTICS:
        return here.store.read(f"{folder}/statistics")
    if name == SEG:
        return _seg(here, job, folder)
    mask = here.store.read(f"{folder}/mask")
    return over(mask) if name == OVERLAY else mask


def _seg(here: Parts, job: Job, folder: str) -> bytes:
    """Made when somebody first asks for it, then kept: it has a UID of its own, which must not change."""
    key = f"{folder}/seg"
    try:
        return here.store.read(key)
    except NotFound:
        mask, facts = here.store.read(f"{folder}/mask"), json.loads(here.store.read(f"{folder}/statistics"))
    labels = {int(index): label for index, label in facts["labels"].items() if index != "0"}
    sources = {int(index): Source(**source) for index, source in facts["sources"].items()}
    made = segmentation(here.store, here.settings.intake, job.study_id, mask, labels, sources)
    if made is None:
        raise Internal("The study was a DICOM series and is none now.")
    here.store.put_bytes(key, made)
    return made
