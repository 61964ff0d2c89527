"""A bad setting stops the start, names its variable, and never prints the value."""

from collections.abc import Callable
from pathlib import Path

import pytest

from portal_wire import env


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda: env.integer("LIGHTBOX_X", 1, 1, 9), "hunter2"),
        (lambda: env.integer("LIGHTBOX_X", 1, 1, 9), "10"),
        (lambda: env.number("LIGHTBOX_X", 1.0, 0.0, 2.0), "3.5"),
        (lambda: env.number("LIGHTBOX_X", 1.0, 0.0, 2.0), "nan"),
        (lambda: env.url("LIGHTBOX_X"), "ftp://hunter2"),
    ],
)
def test_a_bad_value_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[], object], value: str
) -> None:
    monkeypatch.setenv("LIGHTBOX_X", value)
    with pytest.raises(env.SettingsError, match="LIGHTBOX_X") as caught:
        read()
    assert "hunter2" not in str(caught.value)


def test_a_missing_value_without_default_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIGHTBOX_X", raising=False)
    with pytest.raises(env.SettingsError, match="LIGHTBOX_X is not set"):
        env.text("LIGHTBOX_X")


def test_values_are_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTBOX_X", "7")
    assert env.integer("LIGHTBOX_X", 1) == 7
    assert env.number("LIGHTBOX_X", 1.5) == 7.0
    monkeypatch.setenv("LIGHTBOX_X", "http://127.0.0.1:5000/")
    assert env.url("LIGHTBOX_X") == "http://127.0.0.1:5000"
    monkeypatch.setenv("LIGHTBOX_X", "pneumonia, brain-tumour,")
    assert env.names("LIGHTBOX_X") == ("pneumonia", "brain-tumour")


def test_a_secret_comes_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a b c\n")
    monkeypatch.setenv("LIGHTBOX_X_FILE", str(tmp_path / "secret"))
    assert env.secret("LIGHTBOX_X") == "a b c"


def test_a_secret_file_that_is_missing_is_refused_without_its_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIGHTBOX_X_FILE", str(tmp_path / "absent"))
    with pytest.raises(env.SettingsError, match="LIGHTBOX_X_FILE") as caught:
        env.secret("LIGHTBOX_X")
    assert str(tmp_path) not in str(caught.value)
