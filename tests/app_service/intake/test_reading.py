"""The copy that intake decodes for models: the very levels that the ML tier would have decoded itself."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app_service.intake.examine import READING, examine
from app_service.intake.image import READING_SIDE
from app_service.intake.limits import IntakeSettings
from app_service.running.reading_copy import reading_copy
from app_service.storage.directory_store import DirectoryStore
from ml_service.tasks.decode import ENOUGH, grey_plane
from portal_wire.errors import Unprocessable


def film(columns: int, rows: int, mode: str = "L") -> bytes:
    across, down = np.meshgrid(np.linspace(0, 200, columns), np.linspace(0, 50, rows))
    grain = np.random.default_rng(3).normal(0, 4, (rows, columns))
    levels = np.clip(across + down + grain, 0, 255).astype(np.uint8)
    picture = Image.fromarray(levels)
    if mode == "RGB":
        picture = Image.merge("RGB", (picture, picture.point(lambda level: level // 2), picture))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


def taken_in(folder: Path, data: bytes, sandbox: IntakeSettings) -> Path:
    (folder / "original").write_bytes(data)
    examine(folder / "original", folder / "image", sandbox)
    return folder


def test_intake_and_models_mean_the_same_size() -> None:
    assert READING_SIDE == ENOUGH


@pytest.mark.parametrize("size", [(1500, 1200), (896, 1100), (1900, 2300), (4000, 3600)])
def test_large_grey_film(tmp_path: Path, sandbox: IntakeSettings, size: tuple[int, int]) -> None:
    data = film(*size)
    folder = taken_in(tmp_path, data, sandbox)
    assert (folder / "image").read_bytes() == data
    decoded = grey_plane((folder / READING).read_bytes())
    assert min(decoded.shape) < min(size)
    assert np.array_equal(decoded, grey_plane(data))


@pytest.mark.parametrize(("size", "mode"), [((895, 1100), "L"), ((1500, 1200), "RGB")])
def test_no_copy(tmp_path: Path, sandbox: IntakeSettings, size: tuple[int, int], mode: str) -> None:
    folder = taken_in(tmp_path, film(*size, mode), sandbox)
    assert sorted(path.name for path in folder.iterdir()) == ["image", "original"]


def test_damage_in_a_large_film_is_refused_and_leaves_nothing(tmp_path: Path, sandbox: IntakeSettings) -> None:
    data = film(1500, 1200)
    half = len(data) // 2
    with pytest.raises(Unprocessable):
        taken_in(tmp_path, data[:half] + data[half + 5000 :], sandbox)
    assert [path.name for path in tmp_path.iterdir()] == ["original"]


def test_models_get_the_copy_and_else_the_study(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    store.put_bytes("studies/1/image", b"whole")
    assert reading_copy(store, "1") == b"whole"
    store.put_bytes(f"studies/1/{READING}", b"smaller")
    assert reading_copy(store, "1") == b"smaller"
