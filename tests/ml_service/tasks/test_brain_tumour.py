"""Four classes: every one is listed, the most probable is named, and the unsure are not."""

import numpy as np
import pytest

from ml_service.manifest import Calibration, Manifest, read
from ml_service.settings import SHIPPED
from ml_service.tasks import brain_tumour
from ml_service.tasks.verdict import Verdict


@pytest.fixture
def manifest() -> Manifest:
    """Any manifest will do but for what the task reads of it."""
    fit = Calibration(scale=2, offset=(0.5, 0, 0, -0.5), operating_point=0.5, uncertain_band=(0.0, 0.6))
    changes = {"labels": brain_tumour.LABELS, "negative_label": "none", "calibration": fit}
    return read(SHIPPED / "pneumonia" / "1").model_copy(update=changes | {"subject": "a slice of a brain MR"})


def said(manifest: Manifest, *logits: float, distance: float = 1.0) -> Verdict:
    return brain_tumour.interpret(np.array(logits, np.float32), distance, None, manifest)


@pytest.mark.parametrize(("number", "label"), list(enumerate(brain_tumour.LABELS)))
def test_the_most_probable_class_is_the_answer(number: int, label: str, manifest: Manifest) -> None:
    verdict = said(manifest, *(3.0 if k == number else 0.0 for k in range(4)))
    assert verdict.label == label
    assert [found.label for found in verdict.findings] == list(brain_tumour.LABELS)
    assert [found.positive for found in verdict.findings] == [k == number and k > 0 for k in range(4)]
    assert sum(found.probability for found in verdict.findings) == pytest.approx(1)


def test_probabilities_are_scaled_and_shifted_as_the_manifest_says(manifest: Manifest) -> None:
    found = said(manifest, 0.1, 0.2, 0.3, 0.4).findings
    raised = np.exp(2 * np.array([0.1, 0.2, 0.3, 0.4]) + np.array([0.5, 0, 0, -0.5]))
    np.testing.assert_allclose([one.probability for one in found], raised / raised.sum(), rtol=1e-5)


def test_the_negative_class_has_no_operating_point(manifest: Manifest) -> None:
    assert [found.threshold for found in said(manifest, 3, 0, 0, 0).findings] == [None, 0.5, 0.5, 0.5]


def test_when_no_class_stands_out_the_answer_is_uncertain(manifest: Manifest) -> None:
    """Trap: 40 % glioma, 35 % meningioma, 25 % none must not read "no tumour seen"."""
    assert said(manifest, 0.0, 0.1, 0.05, 0.0).label == "uncertain"


@pytest.mark.parametrize(("logits", "shown"), [((0, 0, 3, 0), 2), ((5, 0, 0, 1), 3)])
def test_the_heat_map_is_that_of_the_most_probable_tumour(
    logits: tuple[float, ...], shown: int, manifest: Manifest
) -> None:
    assert said(manifest, *logits).shown == shown


def test_other_images_are_refused_in_words_of_its_own(manifest: Manifest) -> None:
    verdict = said(manifest, 0, 5, 0, 0, distance=1e6)
    assert (verdict.label, verdict.findings) == ("not_answered", [])
    assert verdict.warnings[0].code == "not_a_brain_slice"
    assert verdict.warnings[0].detail == "This does not look like a slice of a brain MR."


def test_an_error_is_never_a_label(manifest: Manifest) -> None:
    with pytest.raises(ValueError, match="NaN"):
        said(manifest, 0, float("nan"), 0, 0)
