"""Sign-in by the hospital's directory, as a browser does it: the state is its own, and nothing of it stays."""

import pytest
from flask import Flask

from tests.ui_service.conftest import ORIGIN, Visitor, settings_for
from tests.ui_service.fake_accounts import CODE
from tests.ui_service.fake_app import FakeApp
from ui_service.signed_in import TOKEN_COOKIE
from ui_service.views.directory import STATE_COOKIE
from ui_service.web import create_app

BACK = "/sign-in/directory/return"
OURS = f"{BACK}?state=made-up-state&code={CODE}"


@pytest.fixture
def traveller(fake: FakeApp) -> Visitor:
    """A browser before a portal that has a directory."""
    return Visitor(create_app(settings_for(fake, directory=True)))


def test_the_way_there_and_back(traveller: Visitor, fake: FakeApp) -> None:
    assert 'href="/sign-in/directory"' in traveller.get("/sign-in").text
    away = traveller.get("/sign-in/directory")
    assert away.status_code == 303 and away.location.startswith("https://directory.test/authorize?")
    cookie = away.headers["Set-Cookie"]
    assert all(word in cookie for word in (STATE_COOKIE, "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=600"))
    assert fake.accounts.returns_to == ORIGIN + BACK
    back = traveller.get(OURS)
    assert back.status_code == 200 and '<meta http-equiv="refresh" content="0; url=/">' in back.text
    assert traveller.client.get_cookie(STATE_COOKIE, domain="portal.test") is None
    kept = traveller.client.get_cookie(TOKEN_COOKIE, domain="portal.test")
    assert kept is not None and kept.http_only and kept.same_site == "Strict"
    assert traveller.get("/").status_code == 200


@pytest.mark.parametrize("address", [BACK, f"{BACK}?state=made-up-state", f"{BACK}?state=other&code={CODE}"])
def test_an_answer_for_another_browser_is_refused_before_app_hears_of_it(
    traveller: Visitor, fake: FakeApp, address: str
) -> None:
    traveller.get("/sign-in/directory")
    fake.calls.clear()
    refused = traveller.get(address)
    assert refused.status_code == 401 and "did not sign you in" in refused.text and fake.calls == []


def test_without_having_gone_nobody_comes_back(traveller: Visitor, fake: FakeApp) -> None:
    assert traveller.get(OURS).status_code == 401 and "POST /v1/directory/sessions" not in fake.calls


def test_what_app_refuses_is_said_on_the_form(traveller: Visitor) -> None:
    traveller.get("/sign-in/directory")
    refused = traveller.get(f"{BACK}?state=made-up-state&code=wrong")
    assert refused.status_code == 401 and "does not fit" in refused.text
    assert traveller.client.get_cookie(TOKEN_COOKIE, domain="portal.test") is None


def test_a_portal_without_a_directory_offers_none(app: Flask, visitor: Visitor) -> None:
    assert "directory" not in visitor.get("/sign-in").text
    assert visitor.get("/sign-in/directory").status_code == 404
