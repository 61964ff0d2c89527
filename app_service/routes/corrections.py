"""A person's correction of a model's mask: kept beside it, and undone without a trace in the model's own answer."""

from contextlib import ExitStack
from datetime import datetime
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from sqlalchemy import Row

from app_service.accounts import audit
from app_service.accounts.bearer import DOCTOR, bearer, current_user
from app_service.domain.correction import labels_after, require_correctable, shown
from app_service.masks.corrected import Corrected, corrected_folder, corrected_picture, corrected_volume, measured
from app_service.masks.corrected_files import statistics
from app_service.parts import Parts, parts
from app_service.routes.artifacts import kept
from app_service.routes.bodies import CorrectionWanted
from app_service.storage.clock import now
from app_service.storage.corrections import put_correction, remove_correction
from app_service.storage.database import reading, writing
from app_service.storage.events import publish
from app_service.storage.jobs import find_jobs
from app_service.storage.studies import find_study
from app_service.views import to_jobs
from portal_wire.contract import Job
from portal_wire.errors import NotFound

corrections = APIBlueprint("corrections", __name__, tag="Results")
PICTURE, VOLUME = "mask.png", "combined_labels.nii.gz"


@corrections.put("/v1/jobs/<uuid:job_id>/correction")
@corrections.auth_required(bearer, roles=DOCTOR)
@corrections.input(CorrectionWanted)
@corrections.output(Job)
def corrected(job_id: UUID, json_data: CorrectionWanted) -> Job:
    """Keep the job's mask with the structures that were outlined in `from_job` taken from there, as one more file of
    the job: `mask_corrected.png` or `.nii.gz`. Beside it are `statistics_corrected.json`, `measurements_corrected.csv`,
    `overlay_corrected.png`, for a DICOM series `seg_corrected.dcm`. The model's own mask and its
    measurements stay as they are. A later correction takes the place of an earlier one."""
    here, user, name, source = parts(), current_user(), str(job_id), str(json_data.from_job)
    with reading(here.engine) as connection:
        rows = find_jobs(connection, user.id, [name, source])
        study = find_study(connection, user.id, rows[0].study_id)
    job, other = to_jobs(here, rows)
    require_correctable(job, other)
    labels, hounsfield = labels_after(job, other)
    made = _made(here, job, other, hounsfield)
    measurements = measured(made, labels, study.kind, study.spacing_mm)
    moment = now()
    told = [each.model_dump() for each in measurements]
    values = {"from_job": source, "measurements": told, "size_bytes": len(made.mask)}
    folder = corrected_folder(name, job.attempt, moment)
    here.store.put_bytes(f"{folder}/statistics", statistics(job, other, study, measurements))
    here.store.put_bytes(f"{folder}/mask", made.mask)
    with writing(here.engine) as connection:
        find_jobs(connection, user.id, [name])  # it may have been deleted meanwhile
        who = {"corrected_by": user.username, "corrected_at": moment}
        earlier = put_correction(connection, name, values | who)
        audit.record(connection, "correct", user.id, name)
    return _told(here, rows[0], earlier)


@corrections.delete("/v1/jobs/<uuid:job_id>/correction")
@corrections.auth_required(bearer, roles=DOCTOR)
@corrections.output(Job)
def undone(job_id: UUID) -> Job:
    """Take a correction back."""
    here, user, name = parts(), current_user(), str(job_id)
    with writing(here.engine) as connection:
        (row,) = find_jobs(connection, user.id, [name])
        earlier = remove_correction(connection, name)
        if earlier is None:
            raise NotFound("This mask was not corrected.", code="no_correction")
        audit.record(connection, "undo_correction", user.id, name)
    return _told(here, row, earlier)


def _made(here: Parts, job: Job, other: Job, hounsfield: bool) -> Corrected:
    if any(item.name == PICTURE for item in job.artifacts):
        return corrected_picture(kept(here, job, PICTURE), kept(here, other, PICTURE))
    keys = [f"jobs/{each.id}/{each.attempt}" for each in (job, other)]
    with ExitStack() as opened:
        own, others = (opened.enter_context(here.store.open(f"{key}/{VOLUME}")) for key in keys)
        study = opened.enter_context(here.store.open(f"studies/{job.study_id}/image")) if hounsfield else None
        return corrected_volume(own, others, shown(other), study)


def _told(here: Parts, row: Row[Any], earlier: datetime | None) -> Job:
    """The job as it is now, to all the owner's pages too; the file of an earlier correction goes."""
    if earlier:
        here.store.delete_prefix(corrected_folder(row.id, row.attempt, earlier))
    with reading(here.engine) as connection:
        (job,) = to_jobs(here, find_jobs(connection, current_user().id, [row.id]))
    publish(here.redis, current_user().id, job)
    return job
