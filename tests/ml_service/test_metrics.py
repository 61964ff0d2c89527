"""What a version's meter counts, and when it keeps still."""

from typing import Any

from prometheus_client import REGISTRY

from ml_service.metrics import BINS, Meter
from ml_service.tasks.verdict import Verdict
from portal_wire.contract import NOT_ANSWERED, UNCERTAIN, Finding, Notice


def count(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"lightbox_ml_{name}_total", {"model": "metered", "version": "1", **labels})


def verdict(label: str, probability: float) -> Verdict:
    finding = Finding(label="pneumonia", probability=probability, threshold=0.5, positive=probability >= 0.5)
    return Verdict(label, [finding], in_distribution=True, ood_score=1.0, warnings=[])


def note(meter: Meter, *verdicts: Verdict) -> None:
    timings: dict[str, Any] = {"network": 0.01}
    meter.note(timings, 0.0, 1, list(verdicts))


def test_answers_are_counted_by_outcome_and_scores_by_the_tenth() -> None:
    meter = Meter("metered", "1", negative_label="normal")
    assert [count("scores", bin=each) for each in BINS] == [0] * 10  # there before the first answer
    with meter.silent():
        note(meter, verdict("pneumonia", 0.95))
    assert count("answers", outcome="positive") == 0  # a golden image is no patient
    refused = Verdict(
        NOT_ANSWERED, [], in_distribution=False, ood_score=9.0, warnings=[Notice(code="blank_image", detail="Blank.")]
    )
    note(meter, verdict("pneumonia", 1.0), verdict("normal", 0.0), verdict(UNCERTAIN, 0.1), refused)
    assert {each: count("answers", outcome=each) for each in ("positive", "negative", "uncertain", "refused")} == {
        "positive": 1,
        "negative": 1,
        "uncertain": 1,
        "refused": 1,
    }
    assert [count("scores", bin=each) for each in BINS] == [1, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert count("refusals", reason="blank_image") == 1
