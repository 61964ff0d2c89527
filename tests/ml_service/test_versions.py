"""Several versions in memory: loaded on demand, unloaded without dropping a request, within a budget."""

import json
import threading
import time
from pathlib import Path

import pytest

from ml_service import manifest as manifests
from ml_service.registry import MIB, Registry, memory_bytes
from ml_service.settings import Settings
from portal_wire.errors import NotFound, Unavailable
from tests.ml_service.server import copy_version

FILM = "golden/pneumonia.jpg"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """pneumonia in three versions, all fit."""
    for version in ("1", "2", "10"):
        copy_version(tmp_path, version)
    return tmp_path


def registry(models: Path, rooms: int = 0) -> Registry:
    """A registry with memory for so many versions; 0: for any number."""
    size = memory_bytes(manifests.read(models / "pneumonia" / "1"))
    return Registry(Settings(service_token=None, model_dir=models, memory_mb=rooms * size // MIB + bool(rooms)))


def read_by(book: Registry, version: str | None) -> str:
    """The version that answered."""
    with book.use("pneumonia", version) as served:
        film = (served.folder / FILM).read_bytes()
        assert served.see_study(film, wait_s=30).verdicts[0].label == "pneumonia"
        return str(served.manifest.version)


def test_versions_answer_side_by_side_and_the_newest_by_default(models: Path) -> None:
    book = registry(models)
    book.load_all()
    assert book.in_memory() == [("pneumonia", "10")]
    assert [read_by(book, version) for version in (None, "1", "2")] == ["10", "1", "2"]
    assert len(book.in_memory()) == 3


def test_a_new_folder_does_not_take_over_by_itself(models: Path) -> None:
    book = registry(models)
    book.load_all()
    copy_version(models, "11")
    assert read_by(book, None) == "10"
    assert book.state("pneumonia", "11") == "not loaded yet"


def test_a_broken_newer_version_leaves_the_older_one_answering(models: Path) -> None:
    (copy_version(models, "11") / "card.md").unlink()
    book = registry(models)
    book.load_all()
    assert book.readiness() == {"pneumonia/10": None}
    assert read_by(book, None) == "10"
    with pytest.raises(Unavailable, match="1 files are missing"):
        read_by(book, "11")


def test_a_version_in_the_folder_of_another_is_not_fit(models: Path) -> None:
    path = models / "pneumonia" / "2" / manifests.FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": "1"}))
    book = registry(models)
    book.load("pneumonia", "2")
    assert book.state("pneumonia", "2") == "model.json names another model or version than its folder does"


def test_what_was_unloaded_by_request_comes_back_only_by_request(models: Path) -> None:
    book = registry(models)
    book.load_all()
    book.unload("pneumonia", "10")
    with pytest.raises(Unavailable, match="unloaded"):
        read_by(book, "10")
    assert read_by(book, "1") == "1"
    book.load("pneumonia", "10")
    assert read_by(book, "10") == "10"
    with pytest.raises(NotFound):
        book.unload("pneumonia", "99")


def test_unloading_waits_for_the_requests_that_hold_the_version(models: Path) -> None:
    book = registry(models)
    book.load_all()
    gone = threading.Thread(target=book.unload, args=("pneumonia", "10"))
    with book.use("pneumonia", "10") as served:
        gone.start()
        while book.in_memory():
            time.sleep(0.01)
        film = (served.folder / FILM).read_bytes()
        assert served.see_study(film, wait_s=30).verdicts[0].label == "pneumonia"  # not dropped
        assert gone.is_alive()
    gone.join(10)
    assert not gone.is_alive()


def test_the_least_recently_used_version_makes_room_and_comes_back(models: Path) -> None:
    book = registry(models, rooms=2)
    for version in ("1", "2", "1", "10"):
        read_by(book, version)
    assert book.in_memory() == [("pneumonia", "1"), ("pneumonia", "10")]
    assert book.state("pneumonia", "2") is None  # it is known to be fit, and comes back
    assert read_by(book, "2") == "2"
    assert book.in_memory() == [("pneumonia", "10"), ("pneumonia", "2")]


def test_what_fits_by_no_means_is_not_loaded_and_takes_nothing_down(models: Path) -> None:
    book = registry(models)
    book.settings = Settings(service_token=None, model_dir=models, memory_mb=1)
    book.load("pneumonia", "1")
    assert "of memory" in str(book.state("pneumonia", "1"))


def test_many_requests_and_too_little_memory_drop_nothing(models: Path) -> None:
    """Each version is unloaded again and again under load; every request is answered by the version it named."""
    book = registry(models, rooms=1)
    answered: list[tuple[str, str]] = []

    def ask(version: str) -> None:
        for _ in range(3):
            answered.append((version, read_by(book, version)))

    threads = [threading.Thread(target=ask, args=(version,)) for version in ("1", "2", "1")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answered) == 9
    assert all(asked == came for asked, came in answered)
    assert len(book.in_memory()) == 1
