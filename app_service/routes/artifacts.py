"""The files that a job made, one by one."""

import io
from contextlib import suppress
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, request, send_file

from app_service.accounts import audit
from app_service.accounts.audit import Action
from app_service.accounts.bearer import DOCTOR, bearer, current_user
from app_service.exports.in_child import made_in_child
from app_service.exports.label_table import LABELS, label_table
from app_service.exports.overlay import mask_overlay_png, overlay_png
from app_service.exports.segs import SEGS, segs_of_picture, segs_of_volume
from app_service.exports.structure_table import TABLE, structure_table
from app_service.exports.surface_names import mask_of
from app_service.exports.volume_overlay import volume_overlay_png
from app_service.intake.medical import SURFACE_REQUEST
from app_service.masks import corrected_files
from app_service.masks.corrected_files import corrected_file
from app_service.parts import Parts, parts
from app_service.routes.files import binary
from app_service.storage.database import reading, writing
from app_service.storage.jobs import see_jobs
from app_service.storage.small_artifacts import small_artifact
from app_service.views import to_jobs
from portal_wire.contract import Job
from portal_wire.errors import NotFound

VOLUME_MASK, GZIP = "combined_labels.nii.gz", b"\x1f\x8b"
artifacts = APIBlueprint("artifacts", __name__, tag="Results")


@artifacts.get("/v1/jobs/<uuid:job_id>/artifacts/<path:name>")
@artifacts.auth_required(bearer, roles=DOCTOR)
@artifacts.doc(responses=binary("image/png", "The file, of the media type that the job's artifact list says."))
def artifact(job_id: UUID, name: str) -> Response:
    """One file of a job."""
    (job,) = jobs_of([str(job_id)])
    found = next((item for item in job.artifacts if item.name == name), None)
    if found is None:
        raise NotFound("The job has no such file.")
    # Viewers fetch pictures and masks by themselves: only an archive or the original was surely taken away.
    note([job], "view")
    tag = f"{job.id}-{job.attempt}-{name}"  # an attempt's files never change
    if job.correction and name in corrected_files.ALL:
        tag += f"-{job.correction.corrected_at:%Y%m%d%H%M%S%f}"  # a person's may
    if request.if_none_match.contains(tag):
        return Response(status=304)
    data = content(parts(), job, name)
    response = send_file(io.BytesIO(data), found.media_type, download_name=name.rsplit("/", 1)[-1], etag=tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def jobs_of(job_ids: list[str]) -> list[Job]:
    """Raises NotFound unless all are the caller's."""
    with reading(parts().engine) as connection:
        rows = see_jobs(connection, current_user().id, job_ids)
    return to_jobs(parts(), rows)


def note(jobs: list[Job], action: Action = "download", outcome: str = "done") -> None:
    """Into the audit: this person took or saw files of these jobs."""
    with writing(parts().engine) as connection:
        for job in jobs:
            audit.record(connection, action, current_user().id, job.id, outcome)


def content(here: Parts, job: Job, name: str) -> bytes:
    """An artifact of the job, made now if it is not kept."""
    if name == TABLE:
        return structure_table([job])
    if name == "overlay.png":
        return _overlay(here, job)
    if name == LABELS:
        return label_table({each.index: each.label for each in job.result.measurements} if job.result else {})
    if mask := mask_of(name):
        return made_in_child(here.store, here.settings.intake, SURFACE_REQUEST, content(here, job, mask))
    if name == SEGS:
        if any(item.name == "mask.png" for item in job.artifacts):
            return segs_of_picture(content(here, job, "mask.png"))
        return segs_of_volume(content(here, job, VOLUME_MASK))
    if name in corrected_files.ALL:
        return corrected_file(here, job, name, lambda mask: _mask_over(here, job, mask))
    return kept(here, job, name)


def _overlay(here: Parts, job: Job) -> bytes:
    """Drawn from the files that it is made of when somebody asks, and never stored."""
    names = {item.name for item in job.artifacts}
    if "heatmap.png" in names:
        return overlay_png(image_of(here, job), content(here, job, "heatmap.png"))
    if "mask.png" in names:
        return _mask_over(here, job, kept(here, job, "mask.png"))
    return _mask_over(here, job, kept(here, job, VOLUME_MASK))


def _mask_over(here: Parts, job: Job, mask: bytes) -> bytes:
    """A label map of the job's study over it."""
    if not mask.startswith(GZIP):
        return mask_overlay_png(image_of(here, job), mask)
    hounsfield = any(each.mean_hu is not None for each in job.result.measurements) if job.result else False
    with here.store.open(f"studies/{job.study_id}/image") as study:
        return volume_overlay_png(study, mask, hounsfield)


def kept(here: Parts, job: Job, name: str) -> bytes:
    """An artifact as its job left it. Raises NotFound."""
    with reading(here.engine) as connection:
        small = small_artifact(connection, here.store, job.id, job.attempt, name)
    return here.store.read(f"jobs/{job.id}/{job.attempt}/{name}") if small is None else small


def image_of(here: Parts, job: Job) -> bytes:
    """The picture of an image, or of a volume its middle slice: a volume is no picture."""
    with suppress(NotFound):
        return here.store.read(f"studies/{job.study_id}/preview")
    return here.store.read(f"studies/{job.study_id}/image")
