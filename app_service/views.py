"""Rows as the contract's shapes."""

from collections.abc import Sequence
from typing import Any

import redis
from sqlalchemy import Row

from app_service.domain.suitable import suggested
from app_service.exports.label_table import LABELS
from app_service.exports.segs import SEGS
from app_service.exports.structure_table import TABLE
from app_service.exports.surface_names import surfaces
from app_service.masks.corrected import corrected_name
from app_service.masks.corrected_files import beside
from app_service.parts import Parts
from app_service.storage import cache, progress
from app_service.storage.cache import Answer, Key
from app_service.storage.database import reading
from app_service.storage.image_imports import import_notices
from app_service.storage.jobs import artifact, find_answers
from portal_wire.contract import Artifact, Correction, Job, JobState, Model, Review, Study

MASKS = {"mask.png", "combined_labels.nii.gz"}
_FROM_STUDY = {name for name in Study.model_fields if name != "suggested_models"}
_FROM_JOB = {
    "id",
    "study_id",
    "model",
    "version",
    "purpose",
    "fast",
    "state",
    "attempt",
    "created_at",
    "started_at",
    "finished_at",
    "error",
}
_FROM_REVIEW = set(Review.model_fields)
_FROM_CORRECTION = set(Correction.model_fields)


def to_study(row: Row[Any] | dict[str, Any], models: list[Model], preferred: tuple[str, ...]) -> Study:
    """A row of `records.studies` as a Study."""
    values = row if isinstance(row, dict) else dict(row._mapping)
    names = [model.name for model in suggested(models, preferred, values["kind"], values["modality"])]
    return Study(**{name: values[name] for name in _FROM_STUDY}, suggested_models=names)


def to_job(row: Row[Any], answer: Answer | None = None, position: int | None = None, share: float | None = None) -> Job:
    """A row of `records.jobs`, with its review and correction if the query joined them, as a Job.

    `share` is how much of a running one is done, 0..1."""
    values = row._mapping
    reviewed = values.get("verdict") is not None
    corrected = answer is not None and values.get("corrected_at") is not None
    return Job(
        **{name: values[name] for name in _FROM_JOB},
        prompts=values["prompts"] or [],
        position=position,
        progress=share,
        result=answer.result if answer else None,
        artifacts=_all_artifacts(row, answer, corrected) if answer else [],
        review=Review(**{name: values[name] for name in _FROM_REVIEW}) if reviewed else None,
        correction=Correction(**{name: values[name] for name in _FROM_CORRECTION}) if corrected else None,
    )


def to_jobs(parts: Parts, rows: Sequence[Row[Any]]) -> list[Job]:
    """Rows with what only Redis knows quickly: results of finished jobs, places of queued ones, how far others are."""
    answers = _answers(parts, [(row.id, row.attempt) for row in rows if row.state == JobState.SUCCEEDED])
    positions = _positions(parts, [row.id for row in rows if row.state == JobState.QUEUED])
    shares = progress.find(parts.redis, [(row.id, row.attempt) for row in rows if row.state == JobState.RUNNING])
    return [
        to_job(row, answers.get(key := (row.id, row.attempt)), positions.get(row.id), shares.get(key)) for row in rows
    ]


def _answers(parts: Parts, keys: list[Key]) -> dict[Key, Answer]:
    found = cache.find(parts.redis, keys)
    missing = [key for key in keys if key not in found]
    if missing:
        with reading(parts.engine) as connection:
            stored = find_answers(connection, missing)
        for key, answer in stored.items():
            cache.fill(parts.redis, key, answer)
        found |= stored
    return _with_imports(parts, found) if parts.settings.health_imaging else found


def _with_imports(parts: Parts, answers: dict[Key, Answer]) -> dict[Key, Answer]:
    """With what HealthImaging told of their DICOM results. It comes after the answer, which itself never changes."""
    if not answers:
        return answers
    with reading(parts.engine) as connection:
        told = import_notices(connection, list(answers))
    more = {}
    for key, notices in told.items():
        result = answers[key].result
        changed = result.model_copy(update={"warnings": [*result.warnings, *notices]})
        more[key] = answers[key].model_copy(update={"result": changed})
    return answers | more


def _positions(parts: Parts, job_ids: list[str]) -> dict[str, int | None]:
    if not job_ids:
        return {}
    try:
        return dict(zip(job_ids, parts.queue.positions(job_ids), strict=True))
    except redis.RedisError:
        return {}


def _all_artifacts(row: Row[Any], answer: Answer, corrected: bool) -> list[Artifact]:
    """With the mask that a person corrected, and with those that are made when they are asked for: see
    routes/artifacts.py."""
    kept = {item.name for item in answer.artifacts}
    names = {"overlay.png": "image/png"} if kept & {"heatmap.png", *MASKS} else {}
    names |= {TABLE: "text/csv"} if answer.result.measurements else {}
    names |= {LABELS: "text/csv"} if kept & MASKS else {}
    names |= {SEGS: "application/zip"} if row.prompts and answer.result.measurements else {}
    names |= surfaces(answer.result.measurements, kept)
    names |= beside(kept) if corrected else {}
    drawn = [artifact(row.id, name, media_type, None) for name, media_type in names.items()]
    if corrected:
        name, media_type = corrected_name(kept)
        drawn.insert(0, artifact(row.id, name, media_type, row.corrected_bytes))
    return [*answer.artifacts, *drawn]
