"""The answering end: what every tier's Flask application has in common.

Request ids, problem+json errors, one JSON log line a request, metrics, liveness, readiness, service tokens.
"""

import hmac
import logging
import os
import re
import time
import traceback
from collections.abc import Callable, Mapping
from functools import cache

from flask import Flask, Response, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client import multiprocess as metrics_of_processes
from werkzeug.exceptions import HTTPException

from portal_wire.errors import Internal, PortalError, Unauthenticated, Unavailable, from_status
from portal_wire.http_client import current_request_id
from portal_wire.ids import new_id
from portal_wire.logs import log_as_json

Readiness = Callable[[], Mapping[str, str | None]]  # dependency -> None when well, else what is wrong
OPEN_PATHS = ("/healthz", "/readyz", "/metrics")
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_LOG = logging.getLogger("lightbox.access")


def equip(app: Flask, tier: str, *, ready: Readiness, service_token: str | None) -> None:
    """Give `app` the common surface. With `service_token`, every path but OPEN_PATHS needs it in X-Service-Token."""
    log_as_json()
    _answer_errors(app, tier)
    _answer_probes(app, ready)
    seconds = _request_seconds(tier)

    @app.before_request
    def begin() -> None:
        came = request.headers.get("X-Request-ID", "")
        g.request_id = came if _REQUEST_ID.fullmatch(came) else new_id()
        g.began = time.perf_counter()
        current_request_id.set(g.request_id)
        if service_token is not None and request.path not in OPEN_PATHS:
            if not hmac.compare_digest(request.headers.get("X-Service-Token", "").encode(), service_token.encode()):
                raise Unauthenticated("Only the services of this portal may call here.", code="service_token")

    @app.after_request
    def end(response: Response) -> Response:
        took = time.perf_counter() - g.get("began", time.perf_counter())
        route = request.url_rule.rule if request.url_rule else "unknown"
        method = request.method if request.method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") else "other"
        seconds.labels(route, method, response.status_code).observe(took)
        response.headers["X-Request-ID"] = g.get("request_id", "")
        if request.path not in OPEN_PATHS:
            facts = {"route": route, "method": method, "status": response.status_code, "duration_s": round(took, 4)}
            _LOG.info("request", extra={"facts": facts | {"request_id": g.get("request_id")}})
        return response


def problem(error: PortalError) -> Response:
    """The HTTP answer of an error: problem+json with Retry-After where the error says so."""
    response = jsonify(error.to_problem(g.get("request_id", "")))
    response.status_code = error.status
    response.content_type = "application/problem+json"
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _answer_errors(app: Flask, tier: str) -> None:
    unexpected = _unexpected_errors(tier)
    app.register_error_handler(PortalError, problem)

    @app.errorhandler(HTTPException)
    def answer_http_exception(error: HTTPException) -> Response:
        return problem(from_status(error.code or 500, error.description or error.name))

    @app.errorhandler(Exception)
    def answer_unexpected(error: Exception) -> Response:
        unexpected.inc()
        # Only type and place: an exception's text may carry a path or patient data.
        *_, (frame, line) = traceback.walk_tb(error.__traceback__)
        facts = {"error": type(error).__name__, "place": f"{frame.f_globals.get('__name__')}:{line}"}
        _LOG.error("unexpected", extra={"facts": facts | {"request_id": g.get("request_id")}})
        full = Unavailable("There is no memory for this at the moment.", code="no_memory", retry_after_s=5)
        sorry = Internal("Something went wrong here that is not your doing. Nothing was lost; please try again.")
        return problem(full if isinstance(error, MemoryError) else sorry)


def _answer_probes(app: Flask, ready: Readiness) -> None:
    app.add_url_rule("/healthz", "healthz", lambda: jsonify(status="alive"))

    @app.get("/readyz")
    def readyz() -> Response:
        parts = dict(ready())
        response = jsonify(status="not ready" if any(parts.values()) else "ready", dependencies=parts)
        response.status_code = 503 if any(parts.values()) else 200
        return response

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(_collected()), content_type=CONTENT_TYPE_LATEST)


def _collected() -> CollectorRegistry:
    """Every metric of this tier; of all its processes when PROMETHEUS_MULTIPROC_DIR is set."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    metrics_of_processes.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


@cache
def _request_seconds(tier: str) -> Histogram:
    name, text = f"lightbox_{tier}_request_seconds", "Time to answer a request, by route template."
    buckets = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
    return Histogram(name, text, ["route", "method", "status"], buckets=buckets)


@cache
def _unexpected_errors(tier: str) -> Counter:
    return Counter(f"lightbox_{tier}_unexpected_errors_total", "Errors that nobody foresaw.")
