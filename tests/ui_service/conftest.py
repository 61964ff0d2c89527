"""The UI tier in front of a stand-in for App: by Flask's test client, and over TLS for a real browser."""

import html
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.test import TestResponse

from tests.ui_service import fake_app, fake_server
from tests.ui_service.browsing import context_for, sign_in
from ui_service.settings import Settings
from ui_service.web import create_app

ORIGIN = "https://portal.test"
_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


@pytest.fixture
def fake() -> Iterator[fake_app.FakeApp]:
    """The stand-in for App, listening on a port of its own."""
    fake = fake_app.FakeApp()
    fake.url, stop = fake_server.serve(fake_app.build(fake))
    yield fake
    stop()


def settings_for(fake: fake_app.FakeApp, origin: str = ORIGIN, **changed: Any) -> Settings:
    return Settings(
        **{
            "app_url": fake.url,
            "app_service_token": fake_app.SERVICE_TOKEN,
            "secret_key": "k" * 40,
            "public_origin": origin,
            **changed,
        }
    )


@pytest.fixture
def changed() -> dict[str, Any]:
    """Settings other than the usual, for a file of tests to say."""
    return {}


@pytest.fixture
def app(fake: fake_app.FakeApp, changed: dict[str, Any]) -> Flask:
    return create_app(settings_for(fake, **changed))


class Visitor:
    """A browser without scripts: keeps cookies, sends the Origin, and the form token of the last page."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        self.token = ""

    def get(self, path: str, **options: Any) -> TestResponse:
        answer = self.client.get(path, base_url=ORIGIN, **options)
        found = _TOKEN.search(answer.text) if answer.mimetype == "text/html" else None
        self.token = html.unescape(found[1]) if found else self.token
        return answer

    def post(self, path: str, form: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"} | options.pop("headers", {})
        options.setdefault("data", {"csrf_token": self.token} | (form or {}))
        return self.client.post(path, base_url=ORIGIN, headers=headers, **options)

    def sign_in(self, username: str = "doctor", password: str = fake_app.PASSWORD, **form: str) -> TestResponse:
        self.get("/sign-in")
        return self.post("/sign-in", {"username": username, "password": password, **form})


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """Nobody has signed in."""
    return Visitor(app)


@pytest.fixture
def doctor(app: Flask) -> Visitor:
    """A doctor who has signed in and has the worklist open."""
    visitor = Visitor(app)
    assert visitor.sign_in().status_code == 303
    assert visitor.get("/").status_code == 200
    return visitor


@dataclass(frozen=True)
class Site:
    """The UI tier over TLS, for a real browser."""

    origin: str
    fake: fake_app.FakeApp


@pytest.fixture
def site(fake: fake_app.FakeApp, changed: dict[str, Any], tmp_path: Path) -> Iterator[Site]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    # The port is known only once it listens, so the application is put in afterwards.
    shell = Flask("shell")
    address, stop = fake_server.serve(shell, ssl_context=context)
    origin = address.replace("http://", "https://")
    portal = create_app(settings_for(fake, origin, **changed))
    shell.wsgi_app = portal.wsgi_app.app  # type: ignore[method-assign, attr-defined]  # no proxy stands in front here
    yield Site(origin, fake)
    stop()


@pytest.fixture
def complaints() -> list[str]:
    """Console errors and policy violations; a test that ends with any fails."""
    return []


@pytest.fixture
def page(browser: Browser, site: Site, complaints: list[str]) -> Iterator[Page]:
    """The worklist of a doctor who has signed in."""
    context = context_for(browser)
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page, site)
    yield page
    context.close()
    assert complaints == []
