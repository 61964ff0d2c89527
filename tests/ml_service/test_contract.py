"""The ML tier under whatever its own OpenAPI document lets a caller think of."""

from tests.fuzz.contracts import operations, schemathesis, send
from tests.ml_service.server import token

# What is unloaded stays so for the tests beside this one.
UNLOADING = {"POST /v2/repository/models/{name}/unload"}
THERE = {"name": "pneumonia", "version": "1", "file": "roc.png"}
EXAMPLES = 8


def test_no_request_is_the_servers_fault(small_tier: str) -> None:
    schema = schemathesis.openapi.from_url(f"http://{small_tier}/v2/openapi.json", headers=token())
    good, wrong = 0, []
    for label, operation in operations(schema, UNLOADING).items():
        try:
            good += send(operation, token(), THERE, EXAMPLES)
        except Exception as error:
            wrong.append(f"{label}: {error}")
    assert wrong == []
    assert good >= 50
