"""Adding a network is one file and one line: done here, then built, trained, released and served."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from ml_service import architectures
from ml_service.checks import open_version
from ml_service.settings import Settings
from ml_service.training.facts import FACTS
from ml_service.training.recipes import Phase, Recipe
from ml_service.training.release import release
from ml_service.training.train import train

FILE = '''"""One convolution."""

import keras
from keras import layers


def build(labels: int = 1, filters: int = 8) -> keras.Model:
    inputs = keras.Input((None, None, 1))
    maps = layers.Conv2D(filters, 8, 8, activation="relu", name="conv")(inputs)
    heat = layers.Conv2D(labels, 1, dtype="float32", name="heat")(maps)
    logits = layers.GlobalAveragePooling2D(dtype="float32", name="logits")(heat)
    features = layers.GlobalAveragePooling2D(dtype="float32", name="features")(maps)
    return keras.Model(inputs, {"logits": logits, "features": features, "heat": heat})
'''


def test_a_file_and_a_line_make_a_network_that_is_served(
    films: Path, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one_convolution.py").write_text(FILE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(architectures.ARCHITECTURES, "one-convolution", "one_convolution")
    nearly_plain = Phase(64, 20, 1e-2, erase=0, strength=0)
    mine = dataclasses.replace(recipe, architecture="one-convolution", params={"filters": 4}, phases=(nearly_plain,))
    run = train(mine, films, tmp_path / "run")
    folder = tmp_path / "models" / "pneumonia" / "1"
    release(mine, FACTS["pneumonia"], run, films, folder, reason="a test of the registry", force="made up")
    served = open_version(folder, Settings(service_token=None))
    try:
        seen = served.see_study((films / "test" / "PNEUMONIA" / "001.png").read_bytes(), wait_s=30)
    finally:
        served.close()
    assert served.manifest.architecture == "one-convolution"
    assert seen.heat.shape == (1, 8, 8, 1)
    assert np.isfinite(seen.verdicts[0].ood_score)
