"""The data folder: closed to others, held by one portal."""

from pathlib import Path

import pytest

from launcher import data_dir
from launcher.errors import CannotStart


def test_its_folders_are_closed_to_other_users(tmp_path: Path) -> None:
    with data_dir.prepare(tmp_path / "var"):
        folders = [tmp_path / "var", *(tmp_path / "var").iterdir()]
    assert len(folders) == 1 + len(data_dir.FOLDERS)
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}


def test_a_second_portal_in_it_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    with data_dir.prepare(tmp_path), pytest.raises(CannotStart, match="another portal is running"):
        data_dir.prepare(tmp_path)
    data_dir.prepare(tmp_path).close()


def test_one_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match=r"LIGHTBOX_DATA_DIR: .*written"):
        data_dir.prepare(tmp_path / "file" / "var")


def test_one_too_long_for_a_socket_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="LIGHTBOX_DATA_DIR"):
        data_dir.prepare(tmp_path / ("x" * 90))
