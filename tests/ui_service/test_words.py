"""Words and numbers as a doctor reads them."""

import pytest

from portal_wire.contract import Finding, Job, JobState
from tests.ui_service.fake_answers import answer, not_answered
from tests.ui_service.fake_app import FakeApp
from ui_service import scale, words
from ui_service.figures import groups
from ui_service.rendering import bytes_in_words, markdown, seconds


def job_with(**changed: object) -> Job:
    fake = FakeApp()
    return fake.add_job(fake.add_study(), JobState.SUCCEEDED, **changed)


@pytest.mark.parametrize(
    ("label", "probability", "kind", "text"),
    [
        ("pneumonia", 0.91, "positive", "Pneumonia suspected"),
        ("normal", 0.06, "negative", "No pneumonia seen"),
        ("uncertain", 0.49, "uncertain", "Uncertain"),
    ],
)
def test_each_label_has_its_words(label: str, probability: float, kind: str, text: str) -> None:
    said = words.answer(job_with(result=answer(label, probability)))
    assert said is not None
    assert (said.kind, said.text) == (kind, text)


def test_an_unknown_image_is_not_answered() -> None:
    said = words.answer(job_with(result=not_answered()))
    assert said is not None
    assert (said.kind, said.text) == ("unanswered", "Not answered: this does not look like a chest X-ray")


def test_a_label_without_its_finding_is_not_worded_as_positive() -> None:
    said = words.answer(job_with(result=answer("pneumonia", findings=[])))
    assert said is not None
    assert said.kind == "unanswered"


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (112, "112th"),
    ],
)
def test_ordinals(number: int, word: str) -> None:
    assert words.ordinal(number) == word


@pytest.mark.parametrize(
    ("probability", "shown", "share"),
    [(0.9996, ">0.99", "more than 99"), (0.0004, "<0.01", "fewer than 1"), (0.914, "0.91", "about 91")],
)
def test_a_probability_is_never_rounded_to_certainty(probability: float, shown: str, share: str) -> None:
    assert words.probability(probability) == shown
    job = job_with(result=answer("pneumonia", probability))
    assert words.meaning(job) == f"Of 100 validation images with a score like this, {share} show pneumonia."


def test_an_uncalibrated_score_is_not_called_a_share() -> None:
    assert "not calibrated" in words.meaning(job_with(result=answer(calibrated=False)))


def test_the_scale_stands_where_the_numbers_are() -> None:
    drawn = scale.of(Finding(label="pneumonia", probability=0.5, threshold=0.25, positive=True), answer())
    assert (drawn.value, drawn.threshold) == (180.0, 90.0)
    assert drawn.band == pytest.approx((136.8, 187.2))


def test_the_scale_keeps_its_words_inside() -> None:
    drawn = scale.of(Finding(label="x", probability=1.0, threshold=0.0, positive=True), answer(uncertain_band=None))
    assert drawn.value_text < drawn.value == scale.WIDTH
    assert drawn.threshold_text is not None
    assert drawn.threshold_text > 0
    assert drawn.band is None


def test_sizes_and_durations() -> None:
    assert [bytes_in_words(size) for size in (1, 812_345, 4_100_000, 67_108_864)] == [
        "1 KB",
        "812 KB",
        "4.1 MB",
        "67 MB",
    ]
    assert [seconds(value) for value in (0.041, 1.26, 75.2)] == ["0.04 s", "1.3 s", "75 s"]


def test_scores_are_found_at_any_depth_the_test_first() -> None:
    metrics = {
        "other": {"adults": {"n": 6, "refused_share": 0.8333, "none": None}},
        "test": {"brier": 0.05, "auc": {"value": 0.9953, "low": 0.9897, "high": 0.9987}, "n": 293, "reason": "final"},
    }
    test, other = groups(metrics)
    assert (test.where, other.where) == ("Test", "Other, adults")
    assert [(figure.name, figure.value, figure.interval) for figure in test.figures] == [
        ("Images", "293", ""),
        ("AUC", "0.995", "0.990 to 0.999"),
        ("Brier score", "0.050", ""),
    ]


def test_markdown_has_tables_no_html_and_no_images() -> None:
    html = markdown("# Title\n\n<img src=x> ![a](https://evil.test/a.png)\n\n|a|\n|-|\n|1|\n\n[x](javascript:alert(1))")
    assert "<h3>Title</h3>" in html
    assert 'tabindex="0"><table>' in html and html.count("<div") == html.count("</div>") == 1
    assert "<img" not in html
    assert 'href="javascript' not in html


def brain(label: str, *probabilities: float) -> Job:
    """An answer with four classes."""
    findings = [
        {
            "label": name,
            "probability": p,
            "threshold": None if name == "none" else 0.5,
            "positive": name == label != "none",
        }
        for name, p in zip(("none", "glioma", "meningioma", "pituitary"), probabilities, strict=True)
    ]
    return job_with(result=answer(label, findings=findings, uncertain_band=[0.0, 0.6]))


@pytest.mark.parametrize(
    ("label", "probabilities", "kind", "text", "meaning"),
    [
        ("none", (0.9, 0.05, 0.03, 0.02), "negative", "No tumour seen", "about 90 show no tumour."),
        (
            "pituitary",
            (0.1, 0.1, 0.1, 0.7),
            "positive",
            "Pituitary tumour suspected",
            "about 70 show pituitary tumour.",
        ),
        ("uncertain", (0.4, 0.3, 0.2, 0.1), "uncertain", "Uncertain", "most often wrong."),
    ],
)
def test_one_of_several_classes(
    label: str, probabilities: tuple[float, ...], kind: str, text: str, meaning: str
) -> None:
    job = brain(label, *probabilities)
    said = words.answer(job)
    assert said is not None
    assert (said.kind, said.text) == (kind, text)
    assert words.meaning(job).endswith(meaning)


def test_the_uncertain_are_shown_with_their_most_probable_class() -> None:
    result = brain("uncertain", 0.4, 0.3, 0.2, 0.1).result
    assert result is not None
    finding = words.decisive(result)
    assert finding is not None
    assert finding.label == "none"
