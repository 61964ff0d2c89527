"""What another framing does to answers: of a network that goes by the shape of things alone, and by the command."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ml_service import manifest as manifests
from ml_service import tasks
from ml_service.engines import Outputs
from ml_service.refusal import Refusal
from ml_service.served import Served
from ml_service.settings import SHIPPED, Settings
from ml_service.training import framing
from ml_service.training.datasets import Split
from ml_service.training.judge import Judge

NEWEST = max((SHIPPED / "pneumonia").iterdir(), key=lambda folder: int(folder.name))


class Ratio:
    """Calls ill what is clearly higher than wide."""

    side, engine, device, precision = 224, "test", "test", "f32"
    rows: int | None = None

    def __call__(self, pixels: NDArray[np.float32]) -> Outputs:
        bright = pixels[..., 0] > 0
        wide, high = (bright.any(axis=axis).sum(axis=1) for axis in (1, 2))
        logits = np.where(high / wide > 1.2, 9, -9).astype(np.float32)[:, np.newaxis]
        features, heat = np.zeros((len(pixels), 192), np.float32), np.zeros((len(pixels), 7, 7, 1), np.float32)
        return Outputs(logits, features, heat)


def judge_by_shape() -> Judge:
    manifest = manifests.read(NEWEST)
    return Judge(Ratio(), tasks.load(manifest.task), manifest, Refusal.load(NEWEST, manifest))


def test_a_network_that_goes_by_shape_is_found_out() -> None:
    films = np.zeros((8, 224, 224), np.uint8)
    for number, film in enumerate(films):
        cv2.ellipse(film, (112, 112), (40 if number % 2 else 56, 56), 0, 0, 360, 255, -1)
    images = Split(films, np.arange(8) % 2, tuple("abcdefgh"), ("NORMAL", "PNEUMONIA"))
    found = framing.framed_otherwise(judge_by_shape(), images)
    assert found["n"] == 8 and found["as they are"]["refused_share"] == 1.0  # its features are like no film
    right, narrower, wider = (found[name] for name in framing.FRAMINGS)
    assert (right["auc"], right["accuracy"]) == (1.0, 1.0)
    assert narrower["sensitivity"] == {"normal": 0.0, "pneumonia": 1.0}
    assert wider["sensitivity"] == {"normal": 1.0, "pneumonia": 0.0}
    assert (narrower["auc"], narrower["accuracy"]) == (0.5, 0.5)


def test_every_framing_has_each_film_once_as_they_are_first() -> None:
    films = np.random.default_rng(0).integers(0, 255, (4, 224, 224), dtype=np.uint8)
    seen = framing.in_every_framing(Split(films, np.arange(4) % 2, tuple("abcd"), ("NORMAL", "PNEUMONIA")))
    assert seen.films.shape == (12, 224, 224) and (seen.films[:4] == films).all()
    assert seen.classes.tolist() == [0, 1] * 6 and seen.patients == tuple("abcd") * 3
    assert not (seen.films[4:8] == films).all() and not (seen.films[8:] == seen.films[4:8]).all()


def test_the_shipped_network_says_the_same_of_a_film_in_every_framing() -> None:
    served = Served(manifests.read(NEWEST), NEWEST, Settings(service_token=None))
    for label in ("normal", "pneumonia"):
        film = cv2.imread(str(NEWEST / "golden" / f"{label}.jpg"), cv2.IMREAD_GRAYSCALE)
        assert film is not None
        for cut in framing.FRAMINGS.values():
            study = cv2.imencode(".png", cut(film.astype(np.uint8)))[1].tobytes()
            assert served.see_study(study, 60).verdicts[0].label == label
    served.close()


def test_the_command_says_what_the_release_said(
    brain_version: Path, slices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = brain_version / manifests.METRICS
    released = json.loads(path.read_text())
    assert released["framing"]["as they are"]["accuracy"] == released["validation"]["accuracy"]["value"]
    card = (brain_version / manifests.CARD).read_text()
    assert "half as they are and half augmented" in card
    path.write_text(json.dumps({name: value for name, value in released.items() if name != "framing"}))
    monkeypatch.setattr(sys, "argv", ["framing", "--version", str(brain_version), "--data", str(slices)])
    framing.main()
    assert json.loads(path.read_text()) == released
    assert (brain_version / manifests.CARD).read_text() == card
    row = next(line for line in card.splitlines() if line.startswith("| a tenth cut off above and below"))
    assert row.count("|") == 9 and "## Does the framing sway it?" in card
