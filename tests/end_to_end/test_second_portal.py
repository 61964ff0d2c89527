"""Two portals side by side; the second one with servers that were there before, PostgreSQL among them."""

import re
from collections.abc import Iterator

import psycopg
import pytest
import requests

from tests.conftest import POSTGRES, RedisServer
from tests.end_to_end.doctor import FILMS, Doctor
from tests.end_to_end.portal import Portal, alive, launch, wait_for
from tests.end_to_end.test_api_walk import walk


@pytest.fixture(scope="module")
def given_servers(request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings that name a Redis and, where it is installed, a PostgreSQL of the tests."""
    server: RedisServer = request.getfixturevalue("_redis_server")
    given = {"LIGHTBOX_REDIS_URL": server.url}
    if POSTGRES:
        url = request.getfixturevalue("_postgres")
        with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE second_portal")
        given["LIGHTBOX_DATABASE_URL"] = f"{url}/second_portal"
    return given


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory, given_servers: dict[str, str]) -> Iterator[Portal]:
    running = launch(tmp_path_factory.mktemp("second") / "var", LIGHTBOX_ADMIN_PASSWORD="", **given_servers)
    try:
        wait_for(running, "Ready after")
        yield running
    finally:
        processes = running.processes()
        assert running.stop() == 0
        assert alive(processes) == []


def test_each_keeps_to_itself(portal: Portal, second: Portal, doctor: Doctor) -> None:
    study, _ = doctor.upload(FILMS[0].read_bytes())
    beside = Doctor(second)
    with pytest.raises(requests.HTTPError, match="404"):
        beside.call("GET", f"/v1/studies/{study['id']}")
    walk(beside)


def test_the_servers_that_were_given_are_used(second: Portal) -> None:
    if not POSTGRES:
        pytest.skip("PostgreSQL is not installed here (apt install postgresql)")
    assert second.tier("redis") == []
    assert not (second.data_dir / "lightbox.db").exists()


def test_a_password_that_nobody_gave_is_printed_and_works(second: Portal) -> None:
    shown = re.search(r"admin +(\S+) +\(shown only this once\)", second.output.read_text())
    assert shown
    answer = requests.post(
        f"{second.url}/api/v1/sessions",
        json={"username": "admin", "password": shown[1]},
        verify=str(second.authority),
        timeout=10,
    )
    assert answer.json()["user"]["role"] == "admin"
    logs = {path.name: path.read_text() for path in (second.data_dir / "log").iterdir()}
    assert "request" in logs["app.log"]
    assert not [name for name, text in logs.items() if shown[1] in text]
