"""Who visits: the doctor of the portal, and more of them, made by its administrator."""

import re
from dataclasses import dataclass
from typing import Any

import requests
from requests_toolbelt.adapters.source import SourceAddressAdapter

from benchmarks.servers import PASSWORD, RunningPortal


@dataclass(frozen=True)
class Person:
    """Signed in at the pages by `cookies`, and at the API by `token`."""

    username: str
    token: str
    cookies: str


def signed_in(portal: RunningPortal, username: str, desk: int = 0) -> Person:
    """At both entrances, from an address of this desk's: NGINX limits how often one address signs in."""
    with _browser(portal, desk) as browser:
        token = _token(browser, portal, username, PASSWORD)
        form = browser.get(f"{portal.url}/sign-in", timeout=30)
        hidden = re.search(r'name="csrf_token" value="([^"]+)"', form.text)
        assert hidden, "the form of the sign-in has no token"
        said = {"csrf_token": hidden[1], "username": username, "password": PASSWORD}
        headers = {"Origin": portal.url}
        answer = browser.post(f"{portal.url}/sign-in", data=said, headers=headers, allow_redirects=False, timeout=30)
        assert answer.status_code == 303, f"sign-in was answered with {answer.status_code}"
        return Person(username, token, "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies))


def make(portal: RunningPortal, count: int) -> list[str]:
    """The names of so many new doctors, whose password is PASSWORD."""
    names = [f"ward{number}" for number in range(count)]
    with _browser(portal, 0) as admins:
        admin = _token(admins, portal, "admin", PASSWORD)
        for desk, name in enumerate(names, 1):
            wanted = {"username": name, "role": "doctor"}
            given = _api(admins, portal, "POST", "users", admin, json=wanted).json()["password"]
            with _browser(portal, desk) as browser:
                token = _token(browser, portal, name, given)
                _api(browser, portal, "PUT", "me/password", token, json={"current": given, "new": PASSWORD})
    return names


def _browser(portal: RunningPortal, desk: int) -> requests.Session:
    session = requests.Session()
    session.verify, session.trust_env = portal.authority, False
    session.mount("https://", SourceAddressAdapter((f"127.0.1.{desk + 1}", 0)))
    return session


def _token(browser: requests.Session, portal: RunningPortal, username: str, password: str) -> str:
    said = {"username": username, "password": password}
    return str(_api(browser, portal, "POST", "sessions", json=said).json()["token"])


def _api(
    browser: requests.Session, portal: RunningPortal, method: str, path: str, token: str = "", **options: Any
) -> requests.Response:
    """Raises HTTPError."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = browser.request(method, f"{portal.url}/api/v1/{path}", headers=headers, timeout=30, **options)
    answer.raise_for_status()
    return answer
