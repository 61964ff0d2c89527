"""Requests that an OpenAPI document allows, and ones that it does not, sent by schemathesis with a fixed seed."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed (make setup-dev)")
checks = pytest.importorskip("schemathesis.specs.openapi.checks")
# No answer may be a server's fault, and each has a shape, a media type and a status of the document.
WANTED = [
    schemathesis.checks.not_a_server_error,
    checks.response_schema_conformance,
    checks.content_type_conformance,
    checks.status_code_conformance,
]
BY_SEED = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def operations(schema: Any, without: set[str]) -> dict[str, Any]:
    """Each operation by a name such as "GET /v1/me"; `without` names those that are left out."""
    found = {result.ok().label: result.ok() for result in schema.get_all_operations()}
    assert without <= set(found)
    return {label: operation for label, operation in found.items() if label not in without}


def send(operation: Any, headers: Mapping[str, str], there: Mapping[str, str], examples: int) -> int:
    """Sends as many requests of each kind, with and against the document. Returns how many were answered below 400.

    `there` holds path parameters that lead somewhere; every second request has them.
    """
    good = 0
    for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):

        @settings(BY_SEED, max_examples=examples)
        @given(case=operation.as_strategy(generation_mode=mode), known=st.booleans())
        def one(case: Any, known: bool) -> None:
            nonlocal good
            if known:
                case.path_parameters |= {name: there[name] for name in case.path_parameters if name in there}
            answer = case.call(headers=dict(headers))
            case.validate_response(answer, checks=WANTED)
            good += answer.status_code < 400

        one()
    return good
