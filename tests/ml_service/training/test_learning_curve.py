"""Whether more patients would help: nested shares of them, and what the command leaves in a version's folder."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from ml_service import manifest as manifests
from ml_service.training import brief
from ml_service.training import learning_curve as curve
from ml_service.training.datasets import Split


def test_shares_are_of_patients_and_hold_the_smaller_ones() -> None:
    patients = tuple(f"patient-{number // 3}" for number in range(60))
    films = Split(np.zeros((60, 224, 224), np.uint8), np.arange(60) % 2, patients, ("a", "b"))
    quarter, half, whole = (curve.of_patients(films, share, seed=4) for share in (1 / 4, 1 / 2, 1))
    assert [len(part) for part in (quarter, half, whole)] == [15, 30, 60]
    assert set(quarter.patients) < set(half.patients) < set(whole.patients)
    assert all(half.patients.count(patient) == 3 for patient in half.patients)  # never a part of a patient
    assert set(curve.of_patients(films, 1 / 4, seed=5).patients) != set(quarter.patients)


def test_the_command_adds_points_plot_and_card(
    brain_version: Path, slices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curve, "SHARES", (1 / 2, 1))
    monkeypatch.setattr(curve, "SEEDS", (1,))
    monkeypatch.setattr(brief, "SIDE", 32)
    monkeypatch.setattr(brief, "EPOCHS", 1)
    monkeypatch.setattr(sys, "argv", ["curve", "--version", str(brain_version), "--data", str(slices)])
    curve.main()
    found = json.loads((brain_version / manifests.METRICS).read_text())
    points = found["learning_curve"]["points"]
    assert [(point["patients"], point["images"]) for point in points] == [(24, 48), (48, 96)]
    assert all(0 <= point[score] <= 1 for point in points for score in ("val_auc", "varied_auc"))
    assert found["readings"][-1]["reason"] == "a test"  # the test split was not read again
    assert "Would more patients help?" in (brain_version / manifests.CARD).read_text()
    assert f"plots/{curve.PLOT}" in manifests.read(brain_version).files
