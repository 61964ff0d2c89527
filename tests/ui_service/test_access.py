"""Every endpoint stands in the table, and the table holds."""

import pytest
from flask import Flask

from portal_wire.ids import new_id
from tests.ui_service.conftest import ORIGIN, Visitor
from tests.ui_service.fake_app import FakeApp
from ui_service import access

FILLED = {"study_id": new_id(), "job_id": new_id(), "name": "x", "version": "1", "plot": "p.png", "number": 1}
FILLED |= {"state": "active", "instead_of": "1", "choice": "shipped"}
FILLED |= {name: new_id() for name in ("user_id", "token_id", "session_id")}


def addresses(app: Flask) -> list[tuple[str, str, str]]:
    """(endpoint, method, path) of everything that is not public."""
    adapter = app.url_map.bind("portal.test")
    found = []
    for rule in app.url_map.iter_rules():
        if access.ACCESS[rule.endpoint] == "public":
            continue
        path = adapter.build(rule.endpoint, {name: FILLED[name] for name in rule.arguments}, force_external=False)
        found += [(rule.endpoint, method, path) for method in rule.methods or () if method in ("GET", "POST")]
    return found


def test_without_a_session_everything_leads_to_sign_in(app: Flask, visitor: Visitor, fake: FakeApp) -> None:
    for endpoint, method, path in addresses(app):
        visitor.get("/sign-in")
        answer = visitor.get(path) if method == "GET" else visitor.post(path)
        assert answer.status_code == 303, (endpoint, method)
        assert answer.location.startswith("/sign-in"), endpoint
    assert not fake.calls


def test_looking_changes_nothing(app: Flask, doctor: Visitor) -> None:
    """An address that changes something and is no page is not to be had by GET."""
    methods: dict[str, set[str]] = {}
    for _, method, path in addresses(app):
        methods.setdefault(path, set()).add(method)
    changing = [path for path, known in methods.items() if known == {"POST"}]
    assert len(changing) >= 10
    assert {doctor.get(path).status_code for path in changing} <= {403, 405}  # 403: the page of another role there


def test_an_administrator_is_refused_what_is_the_doctors(app: Flask, visitor: Visitor) -> None:
    visitor.sign_in("admin")
    visitor.get("/models")
    for endpoint, method, path in addresses(app):
        if access.ACCESS[endpoint] == "doctor":
            answer = visitor.get(path) if method == "GET" else visitor.post(path)
            assert answer.status_code == 403, endpoint


def test_operations_are_refused_all_but_what_tells_how_the_portal_stands(app: Flask, visitor: Visitor) -> None:
    assert visitor.sign_in("ops").location == "/status"
    visitor.get("/status")
    for endpoint, method, path in addresses(app):
        if access.ACCESS[endpoint] in ("doctor", "admin"):
            answer = visitor.get(path) if method == "GET" else visitor.post(path)
            assert answer.status_code == 403, endpoint


def test_a_doctor_is_refused_what_is_the_administrators(app: Flask, doctor: Visitor, fake: FakeApp) -> None:
    tried = [one for one in addresses(app) if access.ACCESS[one[0]] in ("admin", "operations")]
    assert tried
    for endpoint, method, path in tried:
        answer = doctor.get(path) if method == "GET" else doctor.post(path)
        assert answer.status_code == 403, endpoint
    assert not fake.changes


def test_an_endpoint_in_no_row_stops_the_start(app: Flask) -> None:
    fresh = Flask("fresh")
    fresh.add_url_rule("/forgotten", "forgotten", lambda: "")
    with pytest.raises(RuntimeError, match="forgotten"):
        access.guard(fresh)


def test_an_unknown_address_is_a_plain_page(doctor: Visitor) -> None:
    answer = doctor.get("/nothing-here")
    assert answer.status_code == 404
    assert "This did not work" in answer.text
    assert ORIGIN not in answer.text
