"""Sets of other images, put on the card of a version that is made already."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from ml_service import manifest as manifests
from ml_service.checks import open_version
from ml_service.settings import Settings
from ml_service.training import other_images


def test_the_command_adds_sets_and_leaves_the_rest(
    brain_version: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "checks").mkdir()
    for number in range(4):
        board = np.kron(np.indices((28, 28)).sum(axis=0) % 2, np.ones((8, 8))) * (200 + number)
        cv2.imwrite(str(tmp_path / "checks" / f"{number}.png"), board)
    before = json.loads((brain_version / manifests.METRICS).read_text())
    sets = [f"--foreign=boards={tmp_path / 'checks'}", f"--shifted=other clinic={tmp_path / 'checks'}"]
    monkeypatch.setattr(sys, "argv", ["other_images", "--version", str(brain_version), *sets])
    other_images.main()
    after = json.loads((brain_version / manifests.METRICS).read_text())
    added = after["refused_of_foreign_images"].pop("boards")
    assert added["n"] == 4 and after["images_of_other_patients"].pop("other clinic") == added
    assert after == before
    card = (brain_version / manifests.CARD).read_text()
    assert "| boards | 4 |" in card and "| other clinic | 4 |" in card
    open_version(brain_version, Settings(service_token=None)).close()  # sealed again
