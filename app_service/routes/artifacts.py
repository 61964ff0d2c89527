"""The files that a job made, one by one and as archives."""

import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, request, send_file

from app_service.accounts import audit
from app_service.accounts.audit import Action
from app_service.accounts.bearer import DOCTOR, bearer, current_user
from app_service.exports.archive import zip_stream
from app_service.exports.overlay import mask_overlay_png, overlay_png
from app_service.exports.picture import png
from app_service.exports.structure_table import TABLE, structure_table
from app_service.parts import Parts, parts
from app_service.routes.bodies import JobsChosen
from app_service.routes.files import binary
from app_service.storage.database import reading, writing
from app_service.storage.jobs import find_jobs
from app_service.views import to_jobs
from portal_wire.contract import Job, JobState
from portal_wire.errors import Conflict, NotFound

artifacts = APIBlueprint("artifacts", __name__, tag="Results")
Entry = tuple[str, Callable[[], bytes]]


@artifacts.get("/v1/jobs/<uuid:job_id>/artifacts/<path:name>")
@artifacts.auth_required(bearer, roles=DOCTOR)
@artifacts.doc(responses=binary("image/png", "The file, of the media type that the job's artifact list says."))
def artifact(job_id: UUID, name: str) -> Response:
    """One file of a job."""
    (job,) = _jobs([str(job_id)])
    found = next((item for item in job.artifacts if item.name == name), None)
    if found is None:
        raise NotFound("The job has no such file.")
    # Viewers fetch pictures and masks by themselves: only an archive or the original was surely taken away.
    _note([job], "view")
    tag = f"{job.id}-{job.attempt}-{name}"  # an attempt's files never change
    if request.if_none_match.contains(tag):
        return Response(status=304)
    data = _content(parts(), job, name)
    response = send_file(io.BytesIO(data), found.media_type, download_name=name.rsplit("/", 1)[-1], etag=tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@artifacts.get("/v1/jobs/<uuid:job_id>/archive")
@artifacts.auth_required(bearer, roles=DOCTOR)
@artifacts.doc(responses=binary("application/zip", "image.png, every artifact, and result.json."))
def archive(job_id: UUID) -> Response:
    """Everything about one finished job in a zip."""
    (job,) = _jobs([str(job_id)])
    _require_finished([job])
    _note([job])
    return _zip(_entries(parts(), job, ""), f"lightbox-{job.id}.zip")


@artifacts.post("/v1/archive")
@artifacts.auth_required(bearer, roles=DOCTOR)
@artifacts.input(JobsChosen)
@artifacts.doc(responses=binary("application/zip", "A folder for each job, as in a single archive; one table of all."))
def archive_of_many(json_data: JobsChosen) -> Response:
    """Several finished jobs in one zip."""
    jobs = _jobs(list(dict.fromkeys(str(job_id) for job_id in json_data.job_ids)))
    _require_finished(jobs)
    _note(jobs)
    here = parts()
    measured = [job for job in jobs if job.result and job.result.measurements]
    table: list[Entry] = [(TABLE, partial(structure_table, measured))] if measured else []
    entries = (entry for job in jobs for entry in _entries(here, job, f"{job.id}/"))
    return _zip(chain(table, entries), "lightbox-results.zip")


def _jobs(job_ids: list[str]) -> list[Job]:
    with reading(parts().engine) as connection:
        rows = find_jobs(connection, current_user().id, job_ids)
    return to_jobs(parts(), rows)


def _require_finished(jobs: list[Job]) -> None:
    if any(job.state != JobState.SUCCEEDED for job in jobs):
        raise Conflict("Only finished jobs have an archive.", code="wrong_state")


def _note(jobs: list[Job], action: Action = "download") -> None:
    with writing(parts().engine) as connection:
        for job in jobs:
            audit.record(connection, action, current_user().id, job.id)


def _entries(here: Parts, job: Job, folder: str) -> Iterator[Entry]:
    yield f"{folder}image.png", lambda: png(_image(here, job), max_side=None, window=None)
    for item in job.artifacts:
        yield folder + item.name, partial(_content, here, job, item.name)
    yield f"{folder}result.json", lambda: job.model_dump_json(indent=2).encode()


def _content(here: Parts, job: Job, name: str) -> bytes:
    if name == TABLE:
        return structure_table([job])
    if name == "overlay.png":  # drawn from the two files that it is made of, and never stored
        if any(item.name == "mask.png" for item in job.artifacts):
            return mask_overlay_png(_image(here, job), _content(here, job, "mask.png"))
        return overlay_png(_image(here, job), _content(here, job, "heatmap.png"))
    return here.store.read(f"jobs/{job.id}/{job.attempt}/{name}")


def _image(here: Parts, job: Job) -> bytes:
    """The picture of an image, or of a volume its middle slice: a volume is no picture."""
    with suppress(NotFound):
        return here.store.read(f"studies/{job.study_id}/preview")
    return here.store.read(f"studies/{job.study_id}/image")


def _zip(entries: Any, name: str) -> Response:
    response = Response(zip_stream(entries), content_type="application/zip")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
