"""What the doctor thinks of an answer."""

from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.wrappers import Response

from portal_wire.contract import Review
from portal_wire.errors import Unprocessable
from ui_service.signed_in import app_tier

blueprint = Blueprint("reviews", __name__)


@blueprint.post("/jobs/<uuid:job_id>/review")
def save(job_id: UUID) -> Response:
    """Keep the verdict and its comment; answers the review card for htmx."""
    app = app_tier()
    try:
        comment = request.form.get("comment", "").strip() or None
        shows = request.form.get("shows")
        said = {"verdict": request.form.get("verdict"), "comment": comment, "labels": [shows] if shows else None}
        review = Review.model_validate(said)
    except ValidationError:
        raise Unprocessable("Please choose agree, unsure or disagree; a comment has at most 2000 letters.") from None
    app.review(str(job_id), review)
    job = app.job(str(job_id))
    if "HX-Request" in request.headers:
        return make_response(render_template("fragments/review.html", job=job, saved=True))
    return redirect(url_for("studies.page", study_id=job.study_id, job=job.id), 303)
