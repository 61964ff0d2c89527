"""Which changes of the settings are told."""

import pytest

from app_service.running.life import marks


@pytest.mark.parametrize(
    ("name", "before", "after", "told"),
    [
        ("LIGHTBOX_ML_URL", "http://127.0.0.1:40001", "http://127.0.0.1:50002", False),
        ("LIGHTBOX_REDIS_URL", "redis://:word@localhost:40001/0", "redis://:word@localhost:50002/0", False),
        ("LIGHTBOX_WORKER_PORT", "40001", "50002", False),
        ("LIGHTBOX_REDIS_URL", "redis://:word@localhost:40001/0", "redis://:other@localhost:40001/0", True),
        ("LIGHTBOX_ML_URL", "http://127.0.0.1:8500", "http://10.0.2.4:8500", True),
        ("LIGHTBOX_ML_URL", "http://10.0.2.4:8500", "http://10.0.2.4:8501", True),
        ("LIGHTBOX_MAX_OPEN_JOBS", "100", "200", True),
    ],
)
def test_inner_ports_that_a_start_draws_are_no_change(
    monkeypatch: pytest.MonkeyPatch, name: str, before: str, after: str, told: bool
) -> None:
    monkeypatch.setenv(name, before)
    first = marks("k" * 32)
    monkeypatch.setenv(name, after)
    assert (marks("k" * 32) != first) == told
