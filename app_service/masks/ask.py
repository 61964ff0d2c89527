"""One question to a model that outlines structures, and the files that are kept of its answer."""

import json
from typing import Any, NamedTuple

from sqlalchemy import Row

from app_service import ml_client
from app_service.exports.seg_request import Source, segmentation
from app_service.masks.picture import checked_picture
from app_service.masks.prompted import WANTED, ask_with_boxes, check_place, named
from app_service.masks.structures import check_counts, file_name, labels_of, wrong_mask
from app_service.masks.volume import part
from app_service.ml_client import Reading
from app_service.parts import Parts
from app_service.running.questions import name_of
from app_service.storage.database import reading as reading_sql
from app_service.storage.studies import find_study
from portal_wire.contract import NOT_ANSWERED, SEGMENTED, Measurement
from portal_wire.errors import Unprocessable

SEG_NOT_MADE = "seg_not_made"
_WITHOUT_SEG = "There is no DICOM Segmentation of this answer; the NIfTI files hold all of it."
VOLUME_TIMEOUT_S = 6 * 3600.0  # the largest networks read a volume for hours on a processor, window by window


class File(NamedTuple):
    """What a run made, under the name that it is served by."""

    name: str
    media_type: str
    data: bytes


def ask_for_mask(parts: Parts, job: Row[Any]) -> tuple[dict[str, Any], list[File]]:
    """The model's findings about the canonical study itself, so that the mask has its size, and the files to keep.

    Raises as `ml_client.infer` does, and Internal for a mask that does not fit the study or what is said of it.
    """
    with reading_sql(parts.engine) as connection:
        study = find_study(connection, job.owner_id, job.study_id)
    canonical = f"studies/{study.id}/image"
    volume = study.kind == "volume"
    timeout_s = VOLUME_TIMEOUT_S if volume else None
    with parts.store.open(canonical) as file:
        if job.prompts:
            reading = ask_with_boxes(parts, job, study, file, timeout_s)
        else:
            spacing_mm = None if volume else study.spacing_mm  # a volume has its own
            reading = ml_client.infer(
                parts.ml,
                job.model,
                job.version,
                file,
                WANTED,
                spacing_mm=spacing_mm,
                fast=job.fast,
                timeout_s=timeout_s,
                request_id=name_of(job),
            )
    if reading.findings.get("label") == NOT_ANSWERED:
        return reading.findings, []
    measurements = _measured(reading)
    if job.prompts:
        measurements = named(measurements, job.prompts)
    labels = labels_of(measurements, gaps=bool(job.prompts))
    mask = reading.mask or b""
    if volume:
        with parts.store.open(canonical) as file:
            parted = part(mask, file, labels)
        check_counts(measurements, parted.counts)
        extents = parted.extents_mm
        gzip = "application/gzip"
        files = [File("combined_labels.nii.gz", gzip, parted.combined)]
        names = {index: f"segmentations/{file_name(label)}.nii.gz" for index, label in labels.items()}
        files += [File(names[index], gzip, data) for index, data in parted.structures.items()]
        sources = dict.fromkeys(labels, Source(job.model, job.version, boxed=bool(job.prompts), fast=job.fast))
        try:
            seg = segmentation(parts.store, parts.settings.intake, study.id, parted.combined, labels, sources)
            files += [File("seg.dcm", "application/dicom", seg)] if seg else []
        except Unprocessable as error:
            reading.findings["warnings"].append({"code": SEG_NOT_MADE, "detail": f"{_WITHOUT_SEG} {error.detail}"})
    else:
        checked = checked_picture(mask, study.shape, labels)
        check_counts(measurements, checked.counts)
        extents = {index: reach.image_mm(study.spacing_mm) for index, reach in checked.reaches.items()}
        files = [File("mask.png", "image/png", checked.png)]
    if job.prompts:
        check_place(files[0].data, job.prompts)
    measurements = [each.model_copy(update={"extent_mm": extents[each.index]}) for each in measurements]
    reading.findings["measurements"] = [each.model_dump() for each in measurements]
    return reading.findings, [*files, _statistics(job, study, measurements)]


def _measured(reading: Reading) -> list[Measurement]:
    if reading.findings.get("label") != SEGMENTED:
        raise wrong_mask("it comes with an answer that is none of a mask")
    return [Measurement.model_validate(each) for each in reading.findings["measurements"]]


def _statistics(job: Row[Any], study: Row[Any], measurements: list[Measurement]) -> File:
    """Which value of the mask means what, and how large each structure is."""
    facts = {
        "model": job.model,
        "version": job.version,
        "fast": job.fast,
        "study_id": study.id,
        "shape": study.shape,
        "spacing_mm": study.spacing_mm,
        "labels": {"0": "background"}
        | {str(index): label for index, label in labels_of(measurements, gaps=True).items()},
        "structures": [each.model_dump() for each in measurements],
    }
    return File("statistics.json", "application/json", json.dumps(facts, indent=2).encode())
