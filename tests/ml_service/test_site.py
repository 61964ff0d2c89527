"""A site's calibration: what it finds, how it is judged, and when there is none."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from ml_service.calibration import calibrated
from ml_service.manifest import Calibration
from ml_service.settings import SHIPPED as MODELS
from ml_service.site import FOLDS, TooFew, fitted, folds, summary
from tests.ml_service.server import token

SHIPPED = Calibration(scale=1, offset=0, operating_point=0.5, uncertain_band=(0.4, 0.6))
NAMES = ("normal", "ill")


def moved_site(
    images: int = 400, seed: int = 0
) -> "tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.int64]]]":
    """Logits of a site whose exposure moves every score up by 2 and whose network is too sure by a factor of 2."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(0, 2, (images, 1))
    classes = (rng.random(images) < 1 / (1 + np.exp(-honest[:, 0]))).astype(np.int64)
    return 2 * honest + 2, classes


def test_a_site_that_differs_gets_its_own_values_and_better_answers() -> None:
    logits, classes = moved_site()
    fit, found = fitted(logits, classes, range(400), SHIPPED, NAMES)
    assert fit.scale == pytest.approx(0.5, abs=0.15)
    assert fit.offset == pytest.approx(-1.0, abs=0.4)
    assert (found["n"], found["patients"], found["folds"]) == (400, 400, 5)
    assert found["worse"] == ["sensitivity"]  # the price of fewer false alarms, and it is named
    assert found["after"]["ece"] < 0.06 < 0.1 < found["before"]["ece"]
    assert found["after"]["accuracy"]["value"] > found["before"]["accuracy"]["value"]
    assert sum(found["classes"].values()) == sum(map(sum, found["after"]["confusion"])) == 400


def test_a_refit_that_makes_things_worse_out_of_fold_says_so() -> None:
    """The shipped values are already right here, so a fit to few images can only add noise."""
    logits, classes = moved_site(80)
    right = Calibration(scale=0.5, offset=-1.0, operating_point=0.5, uncertain_band=(0.4, 0.6))
    _, found = fitted(logits, classes, range(80), right, NAMES)
    assert "brier" in found["worse"]
    assert found["after"]["brier"] > found["before"]["brier"]


def test_no_image_is_judged_by_a_fit_to_its_own_patient() -> None:
    rng = np.random.default_rng(1)
    patients, classes = rng.integers(0, 60, 500), rng.integers(0, 3, 500)
    groups = np.unique(patients, return_inverse=True)[1]
    parts = folds(classes, groups)
    assert all(len(set(parts[groups == group])) == 1 for group in range(groups.max() + 1))
    for number in range(3):
        numbers = np.bincount(parts[classes == number], minlength=FOLDS)
        assert numbers.max() - numbers.min() < 12, numbers  # about 33 each


def test_with_too_few_images_or_patients_there_is_no_fit() -> None:
    logits, classes = moved_site()
    kept = np.concatenate([np.flatnonzero(classes == 0)[:29], np.flatnonzero(classes == 1)[:40]])
    with pytest.raises(TooFew, match=r"at least 30 images of each class.*normal 29 of 29, ill 40 of 40"):
        fitted(logits[kept], classes[kept], kept, SHIPPED, NAMES)
    with pytest.raises(TooFew, match="at least 5 patients"):
        fitted(logits, classes, np.arange(400) % 4, SHIPPED, NAMES)


def test_several_classes() -> None:
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 1.5, (600, 4))
    likely = calibrated(logits, SHIPPED.model_copy(update={"offset": (0.0, 1.0, 0.0, -1.0)}))
    classes = (likely.cumsum(axis=1) < rng.random((600, 1))).sum(axis=1)
    shipped = SHIPPED.model_copy(update={"offset": (0.0,) * 4})
    fit, found = fitted(logits, classes, range(600), shipped, ("none", "a", "b", "c"))
    assert fit.offset == pytest.approx((0, 1, 0, -1), abs=0.35)
    assert found["after"]["brier"] < found["before"]["brier"]
    assert np.array(found["after"]["confusion"]).shape == (4, 4)


def test_known_scores() -> None:
    said = np.array([[0.9, 0.1], [0.6, 0.4], [0.35, 0.65], [0.2, 0.8]])
    found = summary(said, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 0], bool), np.array([0, 0, 0, 1]))
    assert found["sensitivity"]["value"] == 1.0
    assert found["specificity"]["value"] == round(2 / 3, 4)
    assert found["accuracy"] == {"value": 0.75, "low": 0.3006, "high": 0.9544}  # statsmodels, method wilson
    assert found["uncertain_share"] == 0.25
    assert found["confusion"] == [[2, 1], [0, 1]]


@pytest.fixture
def client(small_tier: str) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(small_tier) as client:
        yield client


def said(client: triton.InferenceServerClient, **parameters: str) -> dict[str, Any]:
    """What the real tier says of a film with pneumonia."""
    film = (MODELS / "pneumonia" / "1" / "golden" / "pneumonia.jpg").read_bytes()
    study = triton.InferInput("study", [1], "BYTES")
    study.set_data_from_numpy(np.array([film], dtype=np.object_))
    answer = client.infer("pneumonia", [study], "1", headers=token(), parameters=parameters or None)
    found: dict[str, Any] = json.loads(answer.as_numpy("findings")[0])
    return found


def test_a_stock_client_brings_a_calibration_and_the_next_request_is_as_shipped(
    client: triton.InferenceServerClient,
) -> None:
    shipped = said(client)
    strict = SHIPPED.model_copy(update={"offset": -100.0, "uncertain_band": (0.45, 0.55)})
    sited = said(client, calibration=strict.model_dump_json())
    assert (shipped["label"], shipped["calibrated_for"]) == ("pneumonia", "shipped")
    assert (sited["label"], sited["calibrated_for"]) == ("normal", "site")
    assert sited["logits"] == pytest.approx(shipped["logits"], abs=0.01)
    (finding,) = sited["findings"]
    assert finding["probability"] < 1e-6 and finding["threshold"] == 0.5 and not finding["positive"]
    assert sited["uncertain_band"] == [0.45, 0.55]
    again = said(client)
    assert (again["label"], again["calibrated_for"]) == ("pneumonia", "shipped")


@pytest.mark.parametrize(
    "wrong",
    [
        "{",
        "[]",
        SHIPPED.model_copy(update={"offset": (0.0, 1.0)}).model_dump_json(),
        SHIPPED.model_copy(update={"scale": -1.0}).model_dump_json(),
        SHIPPED.model_dump_json().replace("0.4", "NaN").replace('"offset":0', '"offset":Infinity'),
    ],
)
def test_a_calibration_that_does_not_fit_is_refused(client: triton.InferenceServerClient, wrong: str) -> None:
    with pytest.raises(InferenceServerException, match="Parameter calibration"):
        said(client, calibration=wrong)
