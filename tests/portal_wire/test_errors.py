"""One error, three lives: raised in a service, problem+json on the wire, raised again by the caller."""

import pytest

from portal_wire import errors


@pytest.mark.parametrize("kind", errors.PortalError.__subclasses__())
def test_an_error_survives_the_wire_as_its_own_class(kind: type[errors.PortalError]) -> None:
    sent = kind("Expected a film, a letter came.", code="some_code", retry_after_s=7)
    rebuilt = errors.from_problem(sent.status, sent.to_problem("r-1"), {"Retry-After": "7"})
    assert type(rebuilt) is kind
    assert (rebuilt.detail, rebuilt.code, rebuilt.retry_after_s) == (sent.detail, "some_code", 7)


def test_a_problem_has_the_members_of_rfc_9457_and_ours() -> None:
    body = errors.NotFound("No such study.").to_problem("r-1")
    assert body == {
        "title": "Not Found",
        "status": 404,
        "code": "not_found",
        "detail": "No such study.",
        "request_id": "r-1",
    }


@pytest.mark.parametrize(
    ("status", "kind"), [(418, errors.BadRequest), (502, errors.Unavailable), (504, errors.Unavailable)]
)
def test_a_status_that_we_never_send_still_becomes_an_error(status: int, kind: type[errors.PortalError]) -> None:
    assert type(errors.from_problem(status, None, {"Retry-After": "soon"})) is kind


def test_the_error_shape_of_the_inference_protocol_is_understood() -> None:
    assert errors.from_problem(400, {"error": "unknown input"}, {}).detail == "unknown input"
