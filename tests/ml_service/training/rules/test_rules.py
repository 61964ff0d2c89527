"""A version without a network: made by the real command's parts, checked at every load like any other."""

import json
import shutil
from pathlib import Path

import pytest

from ml_service import manifest as manifests
from ml_service.checks import Unfit, open_version
from ml_service.served_rules import ServedRules
from ml_service.settings import SHIPPED, Settings
from ml_service.training.rules import measure
from ml_service.training.rules.release import release

SETTINGS = Settings(service_token=None)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "ct-tissue" / "1"
    folder.mkdir(parents=True)
    release(folder, {"phantom_dice": measure.of_phantom(), "counted_as_expected": {}})
    return folder


def test_what_is_made_is_fit_and_says_that_nothing_was_trained(made: Path) -> None:
    manifest = manifests.read_any(made)
    assert isinstance(manifest, manifests.Rules) and manifest.outlines and manifest.trained_at is None
    served = open_version(made, SETTINGS)
    assert isinstance(served, ServedRules)
    served.close()
    assert "not trained" in (made / "card.md").read_text()


def test_it_is_what_ships() -> None:
    """The shipped version was made by these rules: its drawn body gets the mask that it got then."""
    metrics = json.loads((SHIPPED / "ct-tissue" / "1" / "metrics.json").read_text())
    assert metrics["phantom_dice"] == measure.of_phantom()
    assert min(metrics["phantom_dice"].values()) > 0.99
    found = metrics["counted_as_expected"]
    assert found["trunk, 3 mm (30 slices)"]["liver, spleen, kidneys"]["share_expected"] > 0.98
    assert (
        found["chest with contrast agent, 1.5 mm"]["aorta, full of contrast agent"]["share_expected"] < 0.5
    )  # it says so


def test_a_version_that_measures_otherwise_than_when_it_was_made_is_unfit(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ct-tissue" / "1"
    shutil.copytree(made, folder)
    told = json.loads((folder / manifests.FILE).read_text())
    told["golden"]["cases"][0]["shares"][1] += 0.001
    (folder / manifests.FILE).write_text(json.dumps(told))
    with pytest.raises(Unfit, match="another mask"):
        open_version(folder, SETTINGS)


def test_one_with_other_labels_or_an_unlisted_file_is_unfit(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ct-tissue" / "1"
    shutil.copytree(made, folder)
    told = json.loads((folder / manifests.FILE).read_text())
    (folder / manifests.FILE).write_text(json.dumps(told | {"labels": told["labels"][::-1]}))
    with pytest.raises(Unfit, match="labels"):
        open_version(folder, SETTINGS)
    (folder / "more").write_text("unlisted")
    with pytest.raises(Unfit, match="unlisted"):
        open_version(folder, SETTINGS)
