"""A version that is not what was released does not answer."""

import gc
import json
import shutil
import weakref
from pathlib import Path
from typing import Any

import pytest

from ml_service import manifest as manifests
from ml_service.registry import Registry
from ml_service.settings import Settings
from portal_wire.errors import NotFound, Unavailable
from tests.ml_service.server import copy_version

KEY = ("pneumonia", "1")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    copy_version(tmp_path / "models", "1")
    return tmp_path / "models"


def loaded(models: Path) -> Registry:
    registry = Registry(Settings(service_token=None, model_dir=models))
    registry.load_all()
    return registry


def change(models: Path, **fields: object) -> None:
    path = models / "pneumonia" / "1" / manifests.FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def fault_of(models: Path) -> str:
    registry = loaded(models)
    fault = registry.readiness()["pneumonia/1"]
    assert fault
    with pytest.raises(Unavailable):
        registry.require(*KEY)
    return fault


def test_a_released_version_is_ready(models: Path) -> None:
    registry = loaded(models)
    assert registry.readiness() == {"pneumonia/1": None}
    with registry.use("pneumonia") as served:
        assert served.manifest.version == "1"
    registry.unload("pneumonia")
    assert registry.readiness() == {"pneumonia/1": "unloaded"}


def test_what_is_kept_out_of_collections_goes_with_its_version(models: Path) -> None:
    """Frozen objects are never collected: a network in a circle would stay in memory for good."""
    gc.unfreeze()
    registry = loaded(models)
    assert gc.get_freeze_count() > 10_000
    with registry.use("pneumonia") as served:
        network: Any = vars(served)["network"]
        network.circle = circle = Circle(network)
        kept = weakref.ref(circle)
    del served, network, circle
    registry.unload("pneumonia")
    assert kept() is None


class Circle:
    """Holds the network that holds it."""

    def __init__(self, network: object) -> None:
        self.network = network


@pytest.mark.parametrize("file", ["weights.npz", "typical.npz", "card.md", "golden/noise.png"])
def test_one_flipped_bit_is_noticed(models: Path, file: str) -> None:
    path = models / "pneumonia" / "1" / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    assert fault_of(models) == f"{file} is not the file that was released"


def test_a_missing_and_an_unlisted_file_are_noticed(models: Path) -> None:
    folder = models / "pneumonia" / "1"
    (folder / "card.md").rename(folder / "other.md")
    assert fault_of(models) == "2 files are missing or unlisted"


def test_labels_in_another_order_are_noticed(models: Path) -> None:
    """Trap: the label list and the network's outputs in different order."""
    change(models, labels=["normal"], negative_label="pneumonia")
    assert fault_of(models) == "the labels are not the task's, in its order"


def test_another_answer_to_a_golden_image_is_noticed(models: Path) -> None:
    golden = json.loads((models / "pneumonia" / "1" / manifests.FILE).read_text())["golden"]
    golden["cases"][0]["label"] = "pneumonia"
    change(models, golden=golden)
    assert "got another answer" in fault_of(models)


def test_another_scaling_is_noticed_by_the_golden_images(models: Path) -> None:
    fit = json.loads((models / "pneumonia" / "1" / manifests.FILE).read_text())["calibration"]
    change(models, calibration=fit | {"offset": fit["offset"] + 1}, typical={"threshold": 1e9})
    assert "golden image" in fault_of(models)


def test_an_unknown_field_is_noticed(models: Path) -> None:
    change(models, operating_pont=0.4)
    assert fault_of(models) == "cannot be read (ValidationError)"


def test_a_broken_version_does_not_take_another_model_down(models: Path) -> None:
    broken = models / "broken" / "1"
    broken.mkdir(parents=True)
    (broken / manifests.FILE).write_text("{}")
    registry = loaded(models)
    assert registry.readiness()["pneumonia/1"] is None
    assert registry.readiness()["broken/1"]


def test_the_tier_is_ready_while_models_that_are_not_among_the_first_still_load(models: Path) -> None:
    shutil.copytree(models / "pneumonia", models / "another")
    settings = Settings(service_token=None, model_dir=models, first=("pneumonia", "not-here"))
    registry = Registry(settings)
    registry.load("pneumonia")
    assert registry.readiness() == {"pneumonia/1": None}
    assert registry.state("another", "1") is not None


def test_no_model_at_all_is_not_ready(tmp_path: Path) -> None:
    registry = loaded(tmp_path)
    assert any(registry.readiness().values())
    with pytest.raises(NotFound):
        registry.require("pneumonia")


def test_the_tenth_version_is_newer_than_the_ninth(models: Path) -> None:
    for version in ("9", "10"):
        shutil.copytree(models / "pneumonia" / "1", models / "pneumonia" / version)
    assert Registry(Settings(service_token=None, model_dir=models)).newest("pneumonia") == "10"
