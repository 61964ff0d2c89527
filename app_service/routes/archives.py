"""Everything about finished jobs to take away, with or without the patient's identity."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Any, Literal, NamedTuple
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from app_service.accounts.bearer import DOCTOR, bearer, current_user
from app_service.exports import without_identity
from app_service.exports.archive import zip_stream
from app_service.exports.in_child import made_in_child
from app_service.exports.picture import png
from app_service.exports.structure_table import TABLE, structure_table
from app_service.exports.surface_names import STL
from app_service.exports.without_identity import key_of, other_id
from app_service.intake.medical import DEIDENTIFY_REQUEST
from app_service.parts import Parts, parts
from app_service.routes.artifacts import content, image_of, jobs_of, note
from app_service.routes.bodies import Asked, JobsChosen
from app_service.routes.files import binary
from app_service.storage.database import reading
from app_service.storage.studies import see_study
from portal_wire.contract import Job, JobState
from portal_wire.errors import Conflict

archives = APIBlueprint("archives", __name__, tag="Results")
AT_ONCE = 500  # jobs that are looked up, and noted in the audit, in one go
Entry = tuple[str, Callable[[], bytes]]


class ArchiveQuery(Asked):
    """`identity=removed`: written anew by PS3.15's profile, under other ids. `surfaces`: with an STL file for each
    structure of a volume, which takes a second each."""

    identity: Literal["kept", "removed"] = "kept"
    surfaces: bool = Field(default=False)


class Packed(NamedTuple):
    """A job as its archive names it."""

    job: Job
    entries: Iterator[Entry]


@archives.get("/v1/jobs/<uuid:job_id>/archive")
@archives.auth_required(bearer, roles=DOCTOR)
@archives.input(ArchiveQuery, location="query")
@archives.doc(responses=binary("application/zip", "image.png, every artifact, and result.json."))
def archive(job_id: UUID, query_data: ArchiveQuery) -> Response:
    """Everything about one finished job in a zip."""
    (packed,) = _packed([str(job_id)], query_data)
    return _zip(packed.entries, f"lightbox-{packed.job.id}.zip")


@archives.post("/v1/archive")
@archives.auth_required(bearer, roles=DOCTOR)
@archives.input(JobsChosen)
@archives.input(ArchiveQuery, location="query")
@archives.doc(responses=binary("application/zip", "A folder for each job, as in a single archive; one table of all."))
def archive_of_many(json_data: JobsChosen, query_data: ArchiveQuery) -> Response:
    """Several finished jobs in one zip."""
    packed = _packed(list(dict.fromkeys(str(job_id) for job_id in json_data.job_ids)), query_data)
    measured = [job for job, _ in packed if job.result and job.result.measurements]
    table: list[Entry] = [(TABLE, partial(structure_table, measured))] if measured else []
    files = ((f"{job.id}/{name}", made) for job, entries in packed for name, made in entries)
    return _zip(chain(table, files), "lightbox-results.zip")


def _packed(job_ids: list[str], asked: ArchiveQuery) -> list[Packed]:
    pieces = [job_ids[at : at + AT_ONCE] for at in range(0, len(job_ids), AT_ONCE)]
    jobs = [job for piece in pieces for job in jobs_of(piece)]
    if any(job.state != JobState.SUCCEEDED for job in jobs):
        raise Conflict("Only finished jobs have an archive.", code="wrong_state")
    here, removed = parts(), asked.identity == "removed"
    if removed:
        _require_plain_pictures(jobs)
    for at in range(0, len(jobs), AT_ONCE):  # the audit's chain is not held up by a large archive
        note(jobs[at : at + AT_ONCE], outcome="identity_removed" if removed else "done")
    packed = []
    for job in jobs:
        chosen = [item for item in job.artifacts if asked.surfaces or item.media_type != STL]
        job = job.model_copy(update={"artifacts": chosen})
        packed.append(_nameless(here, job) if removed else Packed(job, _entries(here, job)))
    return packed


def _require_plain_pictures(jobs: list[Job]) -> None:
    with reading(parts().engine) as connection:
        studies = [see_study(connection, current_user().id, job.study_id) for job in jobs]
    if any(warning["code"] == "burned_in" for study in studies for warning in study.warnings):
        raise Conflict(
            "A picture's file says that text is burned into it, which may name the patient and cannot be taken out "
            "here. Choose answers without such a picture, or download them with their identity.",
            code="burned_in",
        )


def _entries(here: Parts, job: Job) -> Iterator[Entry]:
    yield "image.png", lambda: png(image_of(here, job))
    for item in job.artifacts:
        yield item.name, partial(content, here, job, item.name)
    yield "result.json", lambda: job.model_dump_json(indent=2).encode()


def _nameless(here: Parts, job: Job) -> Packed:
    key = key_of(here.settings.account_key)
    in_child = partial(made_in_child, here.store, here.settings.intake, DEIDENTIFY_REQUEST)

    def stored(name: str) -> bytes:
        return image_of(here, job) if name == "image.png" else content(here, job, name)

    other = job.model_copy(update={"id": other_id(job.id, key), "study_id": other_id(job.study_id, key)})
    return Packed(other, without_identity.entries(other, stored, in_child, key))


def _zip(entries: Any, name: str) -> Response:
    response = Response(zip_stream(entries), content_type="application/zip")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
