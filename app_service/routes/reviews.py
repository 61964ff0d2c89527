"""What the doctor thinks of an answer."""

from uuid import UUID

from apiflask import APIBlueprint
from prometheus_client import Counter

from app_service.accounts import audit
from app_service.accounts.bearer import DOCTOR, bearer, current_user
from app_service.parts import parts
from app_service.storage.clock import now
from app_service.storage.database import writing
from app_service.storage.jobs import find_jobs
from app_service.storage.reviews import put_review
from portal_wire.contract import JobState, Review
from portal_wire.errors import Conflict, Unprocessable

reviews = APIBlueprint("reviews", __name__, tag="Results")
_REVIEWS = Counter("lightbox_app_reviews_total", "Reviews given, by verdict.", ["model", "version", "verdict"])


@reviews.put("/v1/jobs/<uuid:job_id>/review")
@reviews.auth_required(bearer, roles=DOCTOR)
@reviews.input(Review)
@reviews.output(Review)
def reviewed(job_id: UUID, json_data: Review) -> Review:
    """Agree, disagree or be unsure, with a comment; a later review takes the place of an earlier one."""
    if "\0" in (json_data.comment or ""):  # as in bodies.Asked
        raise Unprocessable("The comment holds a NUL character.", code="invalid_input")
    user, name = current_user(), str(job_id)
    review = json_data.model_copy(update={"reviewed_by": user.username, "reviewed_at": now()})
    with writing(parts().engine) as connection:
        (job,) = find_jobs(connection, user.id, [name])
        if job.state != JobState.SUCCEEDED:
            raise Conflict("Only a finished answer can be reviewed.", code="wrong_state")
        put_review(connection, name, review.model_dump())
        audit.record(connection, "review", user.id, name)
    _REVIEWS.labels(job.model, job.version, review.verdict).inc()
    return review
