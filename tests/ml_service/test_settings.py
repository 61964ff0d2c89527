"""Settings from the environment."""

import pytest

from ml_service.settings import SHIPPED, Settings
from portal_wire.env import SettingsError


def test_what_is_set_and_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTBOX_ML_SERVICE_TOKEN", "secret")
    monkeypatch.setenv("LIGHTBOX_ML_QUEUE_SIZE", "7")
    settings = Settings.from_environment()
    assert (settings.service_token, settings.queue_rows, settings.model_dir) == ("secret", 7, SHIPPED)


def test_a_missing_token_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIGHTBOX_ML_SERVICE_TOKEN", raising=False)
    with pytest.raises(SettingsError, match="LIGHTBOX_ML_SERVICE_TOKEN"):
        Settings.from_environment()
