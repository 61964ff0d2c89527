"""Images on their way from the browser to App: the body passes through here unread."""

from typing import BinaryIO, cast

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal_wire.contract import Uploaded
from portal_wire.errors import BadRequest, PortalError
from ui_service.rows import rows_of
from ui_service.security import check_header_token, csrf
from ui_service.signed_in import app_tier

blueprint = Blueprint("uploads", __name__)


@blueprint.post("/uploads")
def upload() -> Response:
    """The new rows for a script, the worklist for a plain form; refused files each with their reason."""
    check_header_token()
    if request.content_length is None:
        raise BadRequest("The browser did not say how large this upload is.", code="length_required")
    headers = {"Content-Type": request.headers.get("Content-Type", "")}
    if key := request.headers.get("Idempotency-Key"):
        headers["Idempotency-Key"] = key
    body = _PassedOn(cast(BinaryIO, request.stream), request.content_length)
    try:
        uploaded = app_tier().upload(body, headers)
    except PortalError as error:
        if "HX-Request" in request.headers or error.status in (401, 403) or error.status >= 500:
            raise
        return make_response(render_template("refused.html", rejected=[], error=error), error.status)
    return answer_with_rows(uploaded)


# Reading the form's token would mean parsing the body here: security.check_header_token stands for it.
csrf.exempt(upload)


def answer_with_rows(uploaded: Uploaded) -> Response:
    """What came of an upload, as table rows for htmx, or by way of the worklist without scripts."""
    if "HX-Request" in request.headers:
        rows = rows_of(uploaded.studies, uploaded.jobs)
        return make_response(render_template("fragments/uploaded.html", rows=rows, rejected=uploaded.rejected), 201)
    if uploaded.rejected:
        return make_response(render_template("refused.html", rejected=uploaded.rejected, error=None), 422)
    return redirect(url_for("worklist.page"), 303)


class _PassedOn:
    """A stream of known length: with the length requests sends it as it is, without it in chunks."""

    def __init__(self, stream: BinaryIO, length: int) -> None:
        self._stream = stream
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> "_PassedOn":
        return self

    def __next__(self) -> bytes:
        if chunk := self.read(65536):
            return chunk
        raise StopIteration

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size)
