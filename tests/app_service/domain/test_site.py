"""What a review says about the truth."""

import pytest

from app_service.domain.site import classes_of, truth
from portal_wire.contract import Model, Result
from tests.app_service.fake_ml import findings, model_card

BINARY = ["normal", "pneumonia"]
FOUR = ["none", "glioma", "meningioma", "pituitary"]


def result(label: str, **changed: object) -> Result:
    timings = {"queue": 0.0, "total": 0.1, "prepare": 0.0, "network": 0.0, "interpret": 0.0}
    said = {name: value for name, value in findings().items() if name in Result.model_fields}
    return Result.model_validate(said | {"label": label, "timings_s": timings} | changed)


@pytest.mark.parametrize(
    ("label", "verdict", "named", "classes", "said"),
    [
        ("pneumonia", "agree", None, BINARY, "pneumonia"),
        ("pneumonia", "disagree", None, BINARY, "normal"),
        ("normal", "disagree", None, BINARY, "pneumonia"),
        ("normal", "unsure", ["pneumonia"], BINARY, "unsure"),
        ("uncertain", "agree", None, BINARY, "not_answered"),
        ("uncertain", "disagree", None, BINARY, "not_answered"),
        ("uncertain", "disagree", ["pneumonia"], BINARY, "pneumonia"),
        ("glioma", "agree", None, FOUR, "glioma"),
        ("glioma", "disagree", None, FOUR, "class_not_named"),
        ("glioma", "disagree", ["none"], FOUR, "none"),
        ("glioma", "disagree", ["none", "pituitary"], FOUR, "class_not_named"),
        ("glioma", "disagree", ["a word of its own"], FOUR, "class_not_named"),
    ],
)
def test_the_class_that_a_review_names(
    label: str, verdict: str, named: list[str] | None, classes: list[str], said: str
) -> None:
    assert truth(result(label), verdict, named, classes) == said


def test_without_logits_or_without_an_answer_there_is_nothing_to_fit() -> None:
    assert truth(result("normal", logits=None), "agree", None, BINARY) == "without_logits"
    refused = result("not_answered", logits=None, in_distribution=False, findings=[])
    assert truth(refused, "disagree", ["normal"], BINARY) == "not_answered"


def test_the_negative_class_comes_first() -> None:
    binary = Model.model_validate(model_card({"1": None}))
    assert classes_of(binary) == BINARY
    assert classes_of(binary.model_copy(update={"labels": FOUR, "negative_label": "none"})) == FOUR
