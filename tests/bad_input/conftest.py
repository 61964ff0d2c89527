"""One App tier for all bad inputs, and a line at the end that says how many rows of the table are shown."""

from collections.abc import Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from app_service.accounts import passwords
from tests.app_service.fake_ml import FakeMl
from tests.bad_input.table import ROWS
from tests.bad_input.tier import Tier, started
from tests.conftest import RedisServer


@pytest.fixture(scope="session")
def tier(_redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tier]:
    """The tier with its usual limits; shared, since each input must leave it as it was."""
    _redis_server.empty()
    ml = FakeMl()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", PasswordHasher.from_parameters(CHEAPEST))
        with started(tmp_path_factory.mktemp("bad"), _redis_server.url, ml.url) as running:
            yield running
    ml.stop()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Rows that nothing shows are named, never left out in silence."""
    missing = {number: row.not_built for number, row in ROWS.items() if row.not_built}
    uploads = sum(len(row.uploads) for row in ROWS.values())
    terminalreporter.section("bad inputs")
    terminalreporter.line(f"{len(ROWS) - len(missing)} of {len(ROWS)} rows have a test; {uploads} files are uploaded")
    for number, why in missing.items():
        terminalreporter.line(f"{number} not built: {why}")
