"""What the browser is told to forbid, and which requests are taken as coming from our own pages."""

import logging

from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFError, CSRFProtect, validate_csrf  # type: ignore[import-untyped]
from werkzeug.exceptions import SecurityError
from werkzeug.sansio.utils import host_is_trusted
from wtforms.validators import ValidationError  # type: ignore[import-untyped]

from portal_wire.errors import BadRequest, Forbidden, PortalError
from portal_wire.http_server import OPEN_PATHS, problem

csrf = CSRFProtect()
_LOG = logging.getLogger("lightbox.security")

_CONTENT_SECURITY_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: under that policy browsers send "Origin: null" with a form (Fetch, "append a request Origin
    # header"), and the check of the Origin below would refuse every form. Other sites learn nothing either way.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Strict-Transport-Security": "max-age=31536000",
}
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def protect(app: Flask, public_origin: str, public_host: str, store_origin: str = "") -> None:
    """Headers on every answer; checks of the host name, of an unsafe request's origin, and of every form's token.

    Scripts may speak to this tier, and to `store_origin` where large files go straight to the store."""
    csrf.init_app(app)
    connect = f"connect-src 'self' {store_origin}".rstrip()
    headers = _HEADERS | {"Content-Security-Policy": "; ".join((*_CONTENT_SECURITY_POLICY, connect))}

    @app.before_request
    def own_host() -> None:
        # Not Flask's TRUSTED_HOSTS: it would refuse probes as well, which come by an address that nobody knows before
        # (Kubernetes asks a pod, a balancer its target). Their answers hold no link, no cookie and no page.
        if request.path not in OPEN_PATHS and not host_is_trusted(request.host, [public_host]):
            raise SecurityError(f"{request.host!r} is not this portal's name.")

    @app.before_request
    def same_origin() -> None:
        if request.method in _SAFE_METHODS:
            return
        fetch_site = request.headers.get("Sec-Fetch-Site", "same-origin")
        if request.headers.get("Origin") != public_origin or fetch_site != "same-origin":
            raise _told(Forbidden("This request did not come from a page of this portal.", code="foreign_origin"))

    @app.errorhandler(CSRFError)
    def answer_csrf(error: CSRFError) -> Response:
        return problem(_told(BadRequest(error.description, code="csrf_token")))

    @app.after_request
    def forbid(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"  # every page may hold patient data
            response.vary.add("HX-Request")
        return response


def check_header_token() -> None:
    """For the one route whose form must not be read here: a script must send the token as a header.

    A plain form cannot; the origin check stands for it. Raises Forbidden.
    """
    if "HX-Request" not in request.headers:
        return
    try:
        validate_csrf(request.headers.get("X-CSRFToken"))
    except ValidationError as error:
        raise _told(Forbidden("This page has grown old. Please load it again.", code="csrf")) from error


def _told(error: PortalError) -> PortalError:
    """The refusal, written into the log: from another site no cookie comes along, so App could not say whose it was."""
    _LOG.warning("request_forged", extra={"facts": {"code": error.code, "request_id": g.get("request_id")}})
    return error
