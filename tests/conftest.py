"""What several packages' tests need: Redis and PostgreSQL, each on a free port, started once; a browser."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from playwright.sync_api import expect

from launcher import binaries
from tests.browser import browser as browser  # a fixture for every folder

expect.set_options(timeout=20_000)  # a test waits for what it expects, on a slow machine too

POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class RedisServer:
    """A Redis that a test may stop, start and empty."""

    def __init__(self, folder: Path) -> None:
        self._port, self._folder = free_port(), folder
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.start()

    def start(self) -> None:
        options = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen([binaries.redis_server(), *options], stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                redis.Redis(port=self._port).ping()
                return
            except redis.ConnectionError:
                time.sleep(0.02)
        raise RuntimeError("Redis did not start")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def empty(self) -> None:
        redis.Redis(port=self._port).flushall()


@pytest.fixture(scope="session")
def _redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def redis_server(_redis_server: RedisServer) -> RedisServer:
    """An empty Redis; a test that stops it starts it again."""
    _redis_server.empty()
    return _redis_server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    return redis_server.url


@pytest.fixture(scope="session")
def _postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL, without a database's name. It refuses to run as root."""
    if not POSTGRES:
        pytest.skip("PostgreSQL is not installed (apt install postgresql): storage was tested on SQLite alone")
    binaries, port = POSTGRES[-1].parent, free_port()
    folder = Path("/tmp") / f"lightbox-postgres-{os.getpid()}"
    folder.mkdir(mode=0o700)
    other = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if other:
        shutil.chown(folder, "postgres")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    control = [*other, str(binaries / "pg_ctl"), "-D", f"{folder}/data", "-w", "-l", f"{folder}/log"]
    quiet = {"stdout": subprocess.DEVNULL, "check": True, "cwd": "/"}
    subprocess.run([*other, str(binaries / "initdb"), "-D", f"{folder}/data", "-A", "trust", "-U", "app"], **quiet)  # type: ignore[call-overload]
    subprocess.run([*control, "-o", options, "start"], **quiet)  # type: ignore[call-overload]
    yield f"postgresql://app@127.0.0.1:{port}"
    subprocess.run([*control, "-m", "immediate", "stop"], **quiet)  # type: ignore[call-overload]
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind; skips the test with PostgreSQL where that is not installed."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/test.db"
    server, name = request.getfixturevalue("_postgres"), f"t{time.time_ns()}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"
