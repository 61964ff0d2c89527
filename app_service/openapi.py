"""The OpenAPI 3.1 document at /v1/openapi.json, and the same as a plain page at /v1/docs."""

from typing import Any

from apiflask import APIFlask
from flask import render_template

from portal_wire.http_server import OPEN_PATHS

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` is for programs, `detail` for people, `request_id` for support.",
    "required": ["title", "status", "code", "detail", "request_id"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
    },
}
_UPLOAD = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "array", "items": {"type": "string", "contentMediaType": "application/octet-stream"}},
        "model": {"type": "array", "items": {"type": "string"}},
        "patient_reference": {"type": "string", "maxLength": 200},
        "fast": {"type": "boolean"},
    },
}
_KEY = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}}
_LAST_EVENT = {"name": "Last-Event-ID", "in": "header", "schema": {"type": "string"}}


def describe(app: APIFlask) -> None:
    """Complete what APIFlask derives from the routes, and serve the page."""
    app.config["OPENAPI_VERSION"] = "3.1.0"
    app.config["AUTO_VALIDATION_ERROR_RESPONSE"] = False
    app.config["AUTO_AUTH_ERROR_RESPONSE"] = False
    app.config["AUTO_404_RESPONSE"] = False
    app.config["TAGS"] = ["Sessions", "Studies", "Jobs", "Results", "Models", "Events", "Status", "Audit", "Accounts"]
    app.config["DESCRIPTION"] = "Studies in, jobs run, calibrated answers out. Research use, not for diagnosis."

    @app.spec_processor
    def complete(spec: Any) -> Any:
        for path in OPEN_PATHS:  # probes are for the machines of this host
            spec["paths"].pop(path, None)
        spec["components"].setdefault("schemas", {})["Problem"] = _PROBLEM
        refused = {"$ref": "#/components/schemas/Problem"}
        for item in spec["paths"].values():
            for operation in item.values():
                operation["responses"]["default"] = {
                    "description": "What went wrong.",
                    "content": {"application/problem+json": {"schema": refused}},
                }
                if "requestBody" in operation:
                    operation["requestBody"]["required"] = True
        upload = spec["paths"]["/v1/studies"]["post"]
        upload["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": _UPLOAD}}}
        upload.setdefault("parameters", []).append(_KEY)
        spec["paths"]["/v1/events"]["get"].setdefault("parameters", []).append(_LAST_EVENT)
        return spec

    @app.get("/v1/docs")
    @app.doc(hide=True)
    def docs() -> str:
        """The document for people, without a script."""
        return render_template("docs.html", spec=app.spec)
