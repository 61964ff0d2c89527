"""When a tier is away: words, not a stack or a server's banner."""

import pytest

from launcher.settings import Settings
from tests.nginx.conftest import MAX_UPLOAD_BYTES, Edge, StartEdge


@pytest.fixture(scope="module")
def lonely(start_edge: StartEdge, settings: Settings) -> Edge:
    """An edge whose tiers have gone."""
    edge = start_edge(settings)
    edge.app.close()
    edge.ui.close()
    return edge


def test_a_program_gets_problem_json(lonely: Edge) -> None:
    answer = lonely.ask("GET", "/api/v1/me", headers={"Accept": "text/html"})
    assert answer.status_code == 502
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "5"
    problem = answer.json()
    assert problem["code"] == "unavailable"
    assert problem["request_id"] == answer.headers["X-Request-ID"]


def test_a_person_gets_a_calm_page(lonely: Edge) -> None:
    answer = lonely.ask("POST", "/studies", headers={"Accept": "text/html,application/xhtml+xml"})
    assert answer.status_code == 502
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Nothing was lost" in answer.text
    assert answer.headers["X-Request-ID"] in answer.text
    assert "nginx" not in answer.text.lower()
    assert "script" not in answer.headers["Content-Security-Policy"]
    assert lonely.ask("GET", "/problem.css").status_code == 200


@pytest.mark.parametrize("path", ["/uploads", "/jobs/1/row"])
def test_a_page_that_is_open_gets_a_piece_of_one(lonely: Edge, path: str) -> None:
    answer = lonely.ask("POST", path, headers={"HX-Request": "true", "Accept": "*/*"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (502, "5")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert '<span class="sentence">The portal is starting or very busy.' in answer.text
    assert answer.headers["X-Request-ID"] in answer.text
    assert "<html" not in answer.text


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}, {"Accept": "text/html"}])
@pytest.mark.parametrize("path", ["/uploads", "/api/v1/studies"])
def test_an_upload_that_fails_is_not_called_too_large(lonely: Edge, path: str, headers: dict[str, str]) -> None:
    """The pages of errors are places of their own, with a limit of their own for bodies."""
    answer = lonely.ask("POST", path, headers=headers, data=bytes(MAX_UPLOAD_BYTES))
    assert (answer.status_code, answer.headers["Retry-After"]) == (502, "5")


@pytest.mark.parametrize("page", ["problem.json", "problem.html", "problem_fragment.html"])
def test_the_pages_of_errors_cannot_be_asked_for(lonely: Edge, page: str) -> None:
    assert lonely.ask("GET", f"/{page}").status_code == 404


def test_a_tiers_own_error_passes_unchanged(edge: Edge) -> None:
    answer = edge.ask("GET", "/api/v1/busy")
    assert (answer.status_code, answer.json()) == (503, {"code": "queue_full"})
