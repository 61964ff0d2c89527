"""One setting against another on parts of the patients, and what the command leaves in a version's folder."""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from ml_service import manifest as manifests
from ml_service.training import brief
from ml_service.training import cross_validate as crossed
from ml_service.training.datasets import Split
from ml_service.training.recipes import RECIPES, Recipe

RECIPE = brief.shortened(RECIPES["pneumonia"])


def test_a_number_of_the_recipe_or_of_its_phase_is_replaced() -> None:
    other, now = crossed.changed(RECIPE, "mixup=0")
    assert (other.phases[0].mixup, now) == (0.0, RECIPE.phases[0].mixup)
    assert dataclasses.replace(other, phases=RECIPE.phases) == RECIPE
    other, now = crossed.changed(RECIPE, "batch=8")
    assert (other.batch, now) == (8, RECIPE.batch)
    for change in ("schedule=cosine", "nothing=1", "mixup=much", "mixup"):
        with pytest.raises(ValueError):
            crossed.changed(RECIPE, change)


def test_each_patient_is_judged_once_by_networks_that_never_saw_them(monkeypatch: pytest.MonkeyPatch) -> None:
    patients = tuple(f"patient-{number // 3}" for number in range(60))
    films = Split(np.zeros((60, 224, 224), np.uint8), np.arange(60) // 3 % 2, patients, ("a", "b"))
    learnt: list[set[str]] = []
    judged: list[set[str]] = []

    def learn(recipe: Recipe, part: Split, steps: int, seed: int) -> float:
        learnt.append(set(part.patients))
        assert steps == recipe.phases[0].epochs * len(part) // recipe.batch
        return recipe.weight_decay

    class Judge:
        def __init__(self, left_out: Split, _: object) -> None:
            judged.append(set(left_out.patients))

        def scores(self, learner: float) -> dict[str, float]:
            return dict.fromkeys(crossed.SCORES, learner)

    monkeypatch.setattr(brief, "learnt", learn)
    monkeypatch.setattr(crossed, "Validation", Judge)
    found = crossed.cross_validated(films, RECIPE, dataclasses.replace(RECIPE, weight_decay=0.5))
    assert len(found) == crossed.FOLDS
    assert all(not seen & asked for seen, asked in zip(learnt, judged, strict=True))
    assert sorted(patient for part in judged[::2] for patient in part) == sorted(set(patients))
    assert judged[::2] == judged[1::2] and learnt[::2] == learnt[1::2]  # pairs compare
    assert [(pair["without"]["val_auc"], pair["with"]["val_auc"]) for pair in found] == [(0.02, 0.5)] * 3
    entry = crossed.as_try(found, "weight_decay=0.5 instead of 0.02", films)
    assert entry["outcome"] == "augmented AUC higher in 3 of 3 parts (by 0.4800 to 0.4800)"


def test_the_command_puts_it_on_record(brain_version: Path, slices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brief, "SIDE", 32)
    monkeypatch.setattr(brief, "EPOCHS", 1)
    monkeypatch.setattr(crossed, "FOLDS", 2)
    asked = ["crossed", "--version", str(brain_version), "--data", str(slices), "--change", "label_smoothing=0"]
    monkeypatch.setattr(sys, "argv", asked)
    crossed.main()
    found = json.loads((brain_version / manifests.METRICS).read_text())
    entry = found["tried"][-1]
    assert entry["what"].startswith("label_smoothing=0 instead of ")
    assert entry["without"].startswith("AUC ") and "of 2 parts" in entry["outcome"]
    assert found["readings"][-1]["reason"] == "a test"  # the test split was not read again
    assert entry["what"] in (brain_version / manifests.CARD).read_text()
