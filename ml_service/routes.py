"""The Open Inference Protocol v2 over HTTP, and the cards. Its model repository extension is in `repository.py`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Blueprint, Response, current_app, jsonify, request

from ml_service import answers, cards, protocol
from ml_service.callers import Callers
from ml_service.metrics import DROPPED
from ml_service.repository import registry
from ml_service.running import Running
from ml_service.serving import Answering
from ml_service.whole_body import whole_body
from portal_wire.errors import BadRequest, PortalError

routes = Blueprint("v2", __name__, url_prefix="/v2")
SERVER = {"name": "lightbox-ml", "version": "2", "extensions": ["binary_tensor_data", "model_repository"]}
LONGEST_ID = 128  # characters
DROPS = ("queue_full", "expired", "cancelled", "network_failed")
DOCUMENT = Path(__file__).parent / "openapi.json"


def running() -> Running:
    """Returns the application's requests in flight."""
    found: Running = current_app.extensions["running"]
    return found


def callers() -> Callers:
    """Returns the connections that are watched for the caller's leaving."""
    found: Callers = current_app.extensions["callers"]
    return found


@routes.get("")
def server_metadata() -> Response:
    return jsonify(SERVER)


@routes.get("/openapi.json")
def document() -> Response:
    """This interface's OpenAPI document."""
    return Response(DOCUMENT.read_bytes(), content_type="application/json")


@routes.get("/health/live")
def live() -> Response:
    return Response(status=200)


@routes.get("/health/ready")
def ready() -> Response:
    return Response(status=503 if any(registry().readiness().values()) else 200)


@routes.get("/models/<name>")
@routes.get("/models/<name>/versions/<version>")
def model_metadata(name: str, version: str | None = None) -> Response:
    with registry().use(name, version) as served:
        return jsonify(answers.metadata(served) | {"versions": registry().versions(name)})


@routes.get("/models/<name>/ready")
@routes.get("/models/<name>/versions/<version>/ready")
def model_ready(name: str, version: str | None = None) -> Response:
    registry().require(name, version)
    return Response(status=200)


@routes.post("/models/<name>/infer")
@routes.post("/models/<name>/versions/<version>/infer")
def infer(name: str, version: str | None = None) -> Response:
    asked = protocol.read_request(whole_body(request), request.headers.get(protocol.HEADER_LENGTH))
    if asked.id and len(asked.id) > LONGEST_ID:
        raise BadRequest(f"Expected an id of at most {LONGEST_ID} characters. Received: {len(asked.id)}.")
    with registry().use(name, version) as served, running().named(asked.id) as begun:
        with callers().watched(request.environ, begun), counted_drops(served):
            seen = answers.see(served, asked, patience_s(asked), begun)
        facts = {"model_name": name, "model_version": served.manifest.version}
        facts |= {"id": asked.id} if asked.id else {}
        body, head_length = protocol.write_answer(facts, answers.outputs(served, seen, asked))
    if head_length is None:
        return Response(body, content_type="application/json")
    headers = {protocol.HEADER_LENGTH: str(head_length)}
    return Response(body, content_type="application/octet-stream", headers=headers)


def patience_s(asked: protocol.Inference) -> float:
    """Returns how long the request may wait for the network: Triton's parameter `timeout`, in microseconds, where the
    caller is less patient than the tier."""
    timeout = asked.parameters.get("timeout")
    longest = registry().settings.deadline_s
    return min(longest, timeout / 1e6) if type(timeout) is int and timeout > 0 else longest


@contextmanager
def counted_drops(served: Answering) -> Iterator[None]:
    """Counts what no network saw: turned away at a full queue, too late, or called off."""
    try:
        yield
    except PortalError as error:
        if error.code in DROPS:
            DROPPED.labels(served.manifest.name, served.manifest.version, error.code).inc()
        raise


@routes.get("/requests/<request_name>")
def progress(request_name: str) -> Response:
    return jsonify(progress=running().progress(request_name))


@routes.delete("/requests/<request_name>")
def cancel(request_name: str) -> Response:
    running().cancel(request_name)
    return Response(status=204)


@routes.get("/models/<name>/card")
@routes.get("/models/<name>/versions/<version>/card")
def card(name: str, version: str | None = None) -> Response:
    return jsonify(cards.card(registry(), name, version).model_dump(mode="json"))


@routes.get("/models/<name>/versions/<version>/network")
def network(name: str, version: str) -> Response:
    return jsonify(cards.network(registry(), name, version))


@routes.get("/models/<name>/versions/<version>/plots/<file>")
def plot(name: str, version: str, file: str) -> Response:
    return Response(cards.plot(registry(), name, version, file), content_type="image/png")


@routes.after_app_request
def add_error(response: Response) -> Response:
    """Gives problem+json the member `error` that the protocol's clients read (RFC 9457 allows more members)."""
    if response.mimetype == "application/problem+json":
        body = response.get_json()
        response.set_data(json.dumps(body | {"error": body["detail"]}))
    return response
