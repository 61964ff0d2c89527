"""From numbers to words; in doubt never "normal"."""

import numpy as np
import pytest

from ml_service.manifest import Manifest, read
from ml_service.settings import SHIPPED
from ml_service.tasks import pneumonia
from portal_wire.contract import Result

NAN = float("nan")


@pytest.fixture
def manifest() -> Manifest:
    return read(SHIPPED / "pneumonia" / "1")


def logits(*values: float) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    return np.array(values, np.float32)


def logits_of(probability: float, manifest: Manifest) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    fit = manifest.calibration
    assert isinstance(fit.offset, float)
    return logits((float(np.log(probability / (1 - probability))) - fit.offset) / fit.scale)


@pytest.mark.parametrize(("probability", "label"), [(0.99, "pneumonia"), (0.01, "normal")])
def test_the_probability_is_that_of_its_own_label(probability: float, label: str, manifest: Manifest) -> None:
    """Trap: a healthy film shown with the confidence of the other class."""
    verdict = pneumonia.interpret(logits_of(probability, manifest), 1.0, None, manifest)
    assert verdict.label == label
    assert verdict.findings[0].label == "pneumonia"
    assert verdict.findings[0].probability == pytest.approx(probability)
    assert verdict.findings[0].positive == (label == "pneumonia")


def test_inside_the_band_the_answer_is_uncertain(manifest: Manifest) -> None:
    low, high = manifest.calibration.uncertain_band
    verdict = pneumonia.interpret(logits_of((low + high) / 2, manifest), 1.0, None, manifest)
    assert verdict.label == "uncertain"


def test_a_strange_image_gets_no_label_and_no_finding(manifest: Manifest) -> None:
    verdict = pneumonia.interpret(logits(-5.0), manifest.typical.threshold * 1.01, None, manifest)
    assert (verdict.label, verdict.findings, verdict.in_distribution) == ("not_answered", [], False)
    assert verdict.warnings[0].code == "not_a_chest_film"


def test_a_blank_image_gets_no_label(manifest: Manifest) -> None:
    verdict = pneumonia.interpret(logits(-5.0), 1.0, np.full((50, 50), 128, np.uint8), manifest)
    assert (verdict.label, verdict.warnings[0].code) == ("not_answered", "blank_image")


def test_an_error_is_never_a_label(manifest: Manifest) -> None:
    """Trap: the network failed and the page said Normal."""
    with pytest.raises(ValueError, match="NaN"):
        pneumonia.interpret(logits(NAN), 1.0, None, manifest)
    assert pneumonia.interpret(logits(1.0), NAN, None, manifest).label == "not_answered"


def test_the_answer_fits_the_contract(manifest: Manifest) -> None:
    verdict = pneumonia.interpret(logits(2.0), 1.0, None, manifest)
    timings = dict.fromkeys(("queue", "prepare", "network", "interpret", "total"), 0.1)
    Result(
        label=verdict.label,
        findings=verdict.findings,
        calibrated=True,
        in_distribution=verdict.in_distribution,
        ood_score=verdict.ood_score,
        warnings=verdict.warnings,
        timings_s=timings,  # type: ignore[arg-type]
    )
