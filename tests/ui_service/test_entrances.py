"""API tokens and open sessions as pages."""

from tests.ui_service.conftest import Visitor
from tests.ui_service.fake_accounts import SECRET
from tests.ui_service.fake_app import FakeApp

FORM = {"name": "nightly export", "scope": "studies:read", "days": "30"}


def test_a_token_is_shown_once_listed_and_revoked(doctor: Visitor, fake: FakeApp) -> None:
    assert "Make a token" in doctor.get("/account/entrances").text
    page = doctor.post("/account/tokens", FORM).text
    assert f'<code class="secret">{SECRET}</code>' in page and 'href="/account/entrances"' in page
    (token,) = fake.accounts.tokens
    assert (token["name"], token["scopes"], token["days"]) == ("nightly export", ["studies:read"], 30)
    listed = doctor.get("/account/entrances").text
    assert "nightly export" in listed and "2027-02-19" in listed and SECRET not in listed
    assert doctor.post(f"/account/tokens/{token['id']}").location == "/account/entrances"
    assert not fake.accounts.tokens


def test_a_token_that_may_nothing_is_refused_in_words(doctor: Visitor) -> None:
    doctor.get("/account/entrances")
    assert doctor.post("/account/tokens", {"name": "x"}).status_code == 422


def test_a_session_is_ended_and_one_that_is_over_is_no_trouble(doctor: Visitor, fake: FakeApp) -> None:
    page = doctor.get("/account/entrances").text
    assert page.count(">End<") == 1 and "this one" in page and "10.1.2.3" in page
    other = fake.accounts.sessions[1]["id"]
    for _ in range(2):
        assert doctor.post(f"/account/sessions/{other}").status_code == 303
    assert len(fake.accounts.sessions) == 1


def test_an_administrator_sees_and_ends_anybodys(visitor: Visitor, fake: FakeApp) -> None:
    visitor.sign_in("admin")
    doctor, pacs = fake.accounts.users[1]["id"], fake.accounts.users[2]["id"]
    assert f'href="/admin/users/{pacs}"' in visitor.get("/admin/users").text
    assert "Make a token" not in visitor.get(f"/admin/users/{doctor}").text
    assert "Make a token" in visitor.get(f"/admin/users/{pacs}").text
    assert f'href="/admin/users/{pacs}"' in visitor.post(f"/admin/users/{pacs}/tokens", FORM).text
    assert f"POST /v1/users/{pacs}/tokens" in fake.calls
    visitor.post(f"/admin/users/{doctor}/sessions/{fake.accounts.sessions[1]['id']}")
    assert len(fake.accounts.sessions) == 1
