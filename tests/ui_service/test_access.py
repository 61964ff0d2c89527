"""Every endpoint stands in the table, and the table holds."""

import re
from itertools import product

import pytest
from flask import Flask

from portal_wire.ids import new_id
from tests.ui_service.conftest import ORIGIN, Visitor
from tests.ui_service.fake_app import FakeApp
from ui_service import access
from ui_service.signed_in import TOKEN_COOKIE

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
FILLED = {"study_id": new_id(), "job_id": new_id(), "name": "x", "version": "1", "plot": "p.png", "number": 1}
FILLED |= {"state": "active", "instead_of": "1", "choice": "shipped"}
FILLED |= {name: new_id() for name in ("user_id", "token_id", "session_id", "share_id", "upload_id")}


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


def test_every_cell_of_the_matrix(app: Flask, fake: FakeApp) -> None:
    """Every address, by every method, by everybody: let in, turned away, sent to sign in, or no such method."""
    job = fake.add_job(fake.add_study())
    there = FILLED | {"study_id": job.study_id, "job_id": job.id, "user_id": fake.accounts.users[1]["id"]}
    adapter = app.url_map.bind("portal.test")
    paths = {
        adapter.build(rule.endpoint, {name: there.get(name, "x") for name in rule.arguments}, force_external=False)
        for rule in app.url_map.iter_rules()
    }
    wrong, cells = [], 0
    for whom in ("nobody", "doctor", "admin", "ops"):
        visitor = Visitor(app)
        for path, method in product(sorted(paths), METHODS):
            endpoint = adapter.match(path, method)[0] if method in adapter.allowed_methods(path) else None
            come_in(visitor, whom, anew=endpoint is not None and method == "POST")
            fake.calls.clear()
            came, wanted = outcome(visitor, method, path), expected(whom, endpoint)
            cells += 1
            if came != wanted:
                wrong.append(f"{method} {path} by {whom}: {came}, not {wanted}")
            if wanted in ("refused", "to sign in"):  # and App is not even asked
                assert fake.calls == [], (method, path, whom)
    assert wrong == []
    assert cells > 1400


def come_in(visitor: Visitor, whom: str, *, anew: bool) -> None:
    """Sign in where somebody is not; `anew` takes the form's token of a page, which ends with a session."""
    if whom != "nobody" and visitor.client.get_cookie(TOKEN_COOKIE, domain="portal.test") is None:
        visitor.sign_in(whom)
        anew = True
    if anew:
        visitor.get("/sign-in" if whom == "nobody" else "/models")


def outcome(visitor: Visitor, method: str, path: str) -> str:
    signed_in = visitor.client.get_cookie(TOKEN_COOKIE, domain="portal.test") is not None
    headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", "X-CSRFToken": visitor.token}
    answer = visitor.client.open(path, method=method, base_url=ORIGIN, headers=headers)
    status, location = answer.status_code, answer.headers.get("Location", "")
    text = answer.text if answer.mimetype == "text/html" else ""
    answer.close()
    if status == 303 and location.startswith("/sign-in") and (path != "/sign-out" or not signed_in):
        return "to sign in"
    code = re.search(r'class="code">(\w+) ·', text)
    if status == 403 and (method == "HEAD" or (code and code[1] == "role")):
        return "refused"
    if status == 400 and "CSRF" in text:
        return "unread form"
    return {405: "no such method"}.get(status, str(status) if status >= 500 else "let in")


def expected(whom: str, endpoint: str | None) -> str:
    if endpoint is None:
        return "no such method"
    needed = access.ACCESS[endpoint]
    if needed == "public":
        return "let in"
    if whom == "nobody":
        return "to sign in"
    roles = {"anyone": ("doctor", "admin", "ops"), "operations": ("admin", "ops")}.get(needed, (needed,))
    return "let in" if whom in roles else "refused"


def test_what_a_form_says_too_much_goes_no_further(app: Flask, doctor: Visitor, fake: FakeApp) -> None:
    """Mass assignment: App never hears of a field that the page's form does not have."""
    job = fake.add_job(fake.add_study())
    there = FILLED | {"study_id": job.study_id, "job_id": job.id}
    extra = dict.fromkeys(("id", "role", "owner", "owner_id", "state", "reviewed_by", "disabled"), "canary")
    forms = {"reviews.save": {"verdict": "agree"}, "entrances.create": {"name": "x", "scope": "studies:read"}}
    forms |= {"selection.run": {"study": job.study_id, "model": "pneumonia"}, "jobs.run": {"model": "pneumonia"}}
    tried = 0
    for rule in app.url_map.iter_rules():
        if "POST" not in (rule.methods or set()) or access.ACCESS[rule.endpoint] not in ("doctor", "anyone"):
            continue
        if rule.endpoint in ("uploads.upload", "sign_in.leave"):  # passed on unread: App's to refuse; ends the session
            continue
        tried += 1
        path = app.url_map.bind("").build(rule.endpoint, {name: there[name] for name in rule.arguments})
        doctor.post(path, forms.get(rule.endpoint, {}) | extra)
    assert tried > 12
    assert fake.bodies and not [body for body in fake.bodies if b"canary" in body]


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
