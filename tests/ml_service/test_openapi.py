"""The OpenAPI document is valid and complete, and the real tier answers as it says."""

import base64
import json
from typing import Any

import pytest
import requests
from flask import Flask
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from ml_service.repository import repository
from ml_service.routes import DOCUMENT, routes
from ml_service.settings import SHIPPED
from ml_service.site_routes import site_routes
from tests.ml_service.server import token

FILM = (SHIPPED / "pneumonia" / "1" / "golden" / "pneumonia.jpg").read_bytes()
STUDY = {"name": "study", "shape": [1], "datatype": "BYTES", "data": [base64.b64encode(FILM).decode()]}
CASES = {
    "logits": [[0.1 * n - 4] for n in range(80)],
    "classes": [n // 40 for n in range(80)],
    "patients": [*range(80)],
}
BOTH = ("/v2/models/{name}", "/v2/models/{name}/versions/{version}")
OF_A_VERSION = {f"get {path}{end}": 200 for path in BOTH for end in ("", "/ready", "/card")}
# Every operation and the status that it answers below.
OPERATIONS = OF_A_VERSION | {
    "get /v2": 200,
    "get /v2/openapi.json": 200,
    "get /v2/health/live": 200,
    "get /v2/health/ready": 200,
    "post /v2/models/{name}/infer": 200,
    "post /v2/models/{name}/versions/{version}/infer": 200,
    "get /v2/models/{name}/versions/{version}/plots/{file}": 200,
    "get /v2/models/{name}/versions/{version}/network": 200,
    "post /v2/models/{name}/versions/{version}/calibrate": 200,
    "get /v2/requests/{request_name}": 404,  # running ones: see test_running.py
    "delete /v2/requests/{request_name}": 404,
    "post /v2/repository/index": 200,
    "post /v2/repository/models/{name}/load": 200,
    "post /v2/repository/models/{name}/unload": 200,
}
VALUES = {"name": "pneumonia", "version": "1", "file": "roc.png", "request_name": "nobodys"}


@pytest.fixture(scope="module")
def document(small_tier: str) -> dict[str, Any]:
    answer: dict[str, Any] = requests.get(f"http://{small_tier}/v2/openapi.json", headers=token(), timeout=5).json()
    return answer


def check(document: dict[str, Any], path: str, method: str, answer: requests.Response) -> None:
    """The answer has a documented status, and the shape that the document gives it."""
    responses = document["paths"][path][method]["responses"]
    described = responses.get(str(answer.status_code), responses["default"])
    if "$ref" in described:
        described = document["components"]["responses"][described["$ref"].rsplit("/", 1)[1]]
    if "content" not in described:
        assert answer.content == b""
        return
    kind = answer.headers["Content-Type"].split(";")[0]
    schema = described["content"][kind]["schema"]
    if kind.endswith("json"):
        Draft202012Validator({**schema, "components": document["components"]}).validate(answer.json())


def test_the_document_is_valid_openapi_3_1() -> None:
    validate(json.loads(DOCUMENT.read_text(encoding="utf-8")))


def test_it_documents_exactly_the_routes_that_there_are(document: dict[str, Any]) -> None:
    app = Flask("routes", static_folder=None)
    for blueprint in (routes, repository, site_routes):
        app.register_blueprint(blueprint)
    there = {
        f"{method.lower()} {rule.rule.replace('<', '{').replace('>', '}')}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    methods = ("get", "post", "delete")
    documented = {f"{m} {path}" for path, item in document["paths"].items() for m in item if m in methods}
    assert documented == there == set(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_tier_answers_as_documented(operation: str, document: dict[str, Any], small_tier: str) -> None:
    method, path = operation.split(" ")
    body = {"inputs": [STUDY], "id": "mine"} if path.endswith("infer") else {} if method == "post" else None
    if path.endswith("calibrate"):
        body = CASES
    if path.endswith("unload"):
        body = {"parameters": {"version": "2"}}
    url = f"http://{small_tier}{path.format(**VALUES)}"
    answer = requests.request(method, url, json=body, headers=token(), timeout=60)
    assert answer.status_code == OPERATIONS[operation], answer.text
    check(document, path, method, answer)


@pytest.mark.parametrize(
    ("path", "method", "values", "body", "status"),
    [
        ("/v2/models/{name}", "get", {"name": "unknown"}, None, 404),
        ("/v2/models/{name}/versions/{version}/infer", "post", {"version": "9"}, {"inputs": [STUDY]}, 404),
        ("/v2/models/{name}/infer", "post", {}, {"inputs": []}, 400),
        ("/v2/models/{name}/infer", "post", {}, {"inputs": [STUDY | {"data": ["AAAA"]}]}, 422),
        ("/v2/models/{name}/versions/{version}/calibrate", "post", {"version": "9"}, CASES, 404),
        ("/v2/models/{name}/versions/{version}/calibrate", "post", {}, CASES | {"patients": [1]}, 400),
        ("/v2/models/{name}/versions/{version}/calibrate", "post", {}, CASES | {"classes": [2] * 80}, 400),
        ("/v2/models/{name}/versions/{version}/calibrate", "post", {}, CASES | {"logits": "x"}, 400),
        ("/v2/models/{name}/versions/{version}/calibrate", "post", {}, CASES | {"classes": [0] * 80}, 422),
        (
            "/v2/models/{name}/versions/{version}/calibrate",
            "post",
            {},
            CASES | {"classes": [*[1] * 40, *[0] * 40]},
            422,
        ),
        ("/v2/repository/models/{name}/load", "post", {"name": "unknown"}, {}, 404),
        ("/v2/repository/models/{name}/load", "post", {}, {"parameters": {"config": "{"}}, 400),
    ],
)
def test_errors_are_as_documented(
    path: str, method: str, values: dict[str, str], body: Any, status: int, document: dict[str, Any], small_tier: str
) -> None:
    url = f"http://{small_tier}{path.format(**VALUES | values)}"
    answer = requests.request(method, url, json=body, headers=token(), timeout=60)
    assert answer.status_code == status, answer.text
    check(document, path, method, answer)
