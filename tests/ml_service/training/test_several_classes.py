"""From four classes of drawings to a version that answers, and the commands that look at it afterwards."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from ml_service.checks import open_version
from ml_service.manifest import read
from ml_service.settings import Settings
from ml_service.training import calibrate, card, evaluate, opening
from ml_service.training.datasets import read_split
from ml_service.training.facts import FACTS
from ml_service.training.release import release
from tests.ml_service.training.conftest import TINY_BRAIN

CLASSES = ("none", "glioma", "meningioma", "pituitary")


def metrics(version: Path) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads((version / "metrics.json").read_text())
    return found


def test_the_version_passes_its_checks_and_answers_with_every_class(brain_version: Path, slices: Path) -> None:
    served = open_version(brain_version, Settings(service_token=None))
    try:
        seen = [served.see_study(path.read_bytes(), 30) for path in sorted(slices.glob("test/*/00*.png"))]
    finally:
        served.close()
    answered = [one.verdicts[0] for one in seen if one.verdicts[0].in_distribution]
    assert len(answered) > len(seen) / 2
    assert all([found.label for found in verdict.findings] == list(CLASSES) for verdict in answered)
    assert seen[0].heat.shape[-1] == 4


def test_no_image_of_the_training_set_is_shipped(brain_version: Path) -> None:
    """Their licence is unknown: the golden images are drawn."""
    assert {path.name for path in (brain_version / "golden").iterdir()} == {
        "ATTRIBUTION.md",
        "drawn-plain.png",
        "drawn-spot.png",
        "noise.png",
    }
    assert all(case.logits and len(case.logits) == 4 for case in read(brain_version).golden.cases)


def test_scores_baselines_and_refusals_are_on_record(brain_version: Path) -> None:
    found = metrics(brain_version)
    assert set(found["test"]["by_class"]) == set(CLASSES)  # type: ignore[call-overload]
    for where in ("as_they_are", "histogram_matched"):
        assert list(found["beside_baselines"][where]) == [  # type: ignore[call-overload]
            "this model",
            "linear, 32 x 32 pixels",
            "linear, grey-level histogram",
        ]
    assert set(found["site_calibration"]) == {"before", "after"}
    assert {"noise", "itself"} <= set(found["refused_of_foreign_images"])


def test_the_card_says_what_counts(brain_version: Path) -> None:
    text = (brain_version / "card.md").read_text()
    for words in ("not for diagnosis", "linear, 32 x 32 pixels", "histogram-matched", "| pituitary | 30 |", "softmax("):
        assert words in text
    assert "chest" not in text


def test_a_later_version_carries_the_earlier_readings(brain_version: Path, brain_run: Path, slices: Path) -> None:
    folder = brain_version.parent / "2"
    release(TINY_BRAIN, FACTS["brain-tumour"], brain_run, slices, folder, "a second look", force="made up")
    assert [(r["version"], r["reason"]) for r in metrics(folder)["readings"]] == [  # type: ignore[index]
        ("1", "a test"),
        ("2", "a second look"),
    ]


def command(monkeypatch: pytest.MonkeyPatch, module: object, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["command", *map(str, words)])
    module.main()  # type: ignore[attr-defined]


def test_a_test_split_is_not_read_without_a_reason(
    brain_version: Path, slices: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("--version", brain_version, "--data", slices, "--split", "test")
    with pytest.raises(SystemExit):
        command(monkeypatch, evaluate, *asked)
    assert "--reason" in capsys.readouterr().err
    command(monkeypatch, evaluate, *asked, "--reason", "to see", "--out", brain_version.parent / "out")
    found = json.loads(capsys.readouterr().out)
    assert found["scores"]["n"] == 120
    assert found["scores"]["auc"] == metrics(brain_version)["test"]["auc"]
    assert metrics(brain_version)["readings"][-1]["reason"] == "to see"  # type: ignore[index]
    open_version(brain_version, Settings(service_token=None)).close()  # its hashes still hold
    assert (brain_version.parent / "out" / "reliability.png").stat().st_size > 0


def test_the_baselines_stand_beside_the_scores_of_every_evaluation(
    brain_version: Path, slices: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command(monkeypatch, evaluate, "--version", brain_version, "--data", slices)
    found = json.loads(capsys.readouterr().out)
    assert list(found["beside_baselines"]) == ["as_they_are", "histogram_matched"]
    for beside in found["beside_baselines"].values():
        assert list(beside) == ["this model", "linear, 32 x 32 pixels", "linear, grey-level histogram"]
        assert all(set(scores) == {"n", "auc", "accuracy"} for scores in beside.values())
    model, pixels, histogram = found["beside_baselines"]["as_they_are"].values()
    assert model["auc"] == pytest.approx(found["scores"]["auc"]["value"], abs=1e-4)
    assert pixels["auc"] > 0.99 > histogram["auc"]  # a spot's place tells the classes apart, its grey does not
    assert "no_baselines" not in found


def test_an_evaluation_without_training_images_says_why_there_are_no_baselines(
    brain_version: Path, slices: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    head, *rows = (slices / "labels.csv").read_text().splitlines()
    there = [f"{slices}/{row}" for row in rows if ",val," in row]
    data = brain_version.parent / "no-training-images"
    data.mkdir()
    (data / "labels.csv").write_text("\n".join([head, *there]) + "\n")
    command(monkeypatch, evaluate, "--version", brain_version, "--data", data)
    found = json.loads(capsys.readouterr().out)
    assert found["scores"]["n"] == len(there) and "beside_baselines" not in found
    assert found["no_baselines"].startswith("no baselines, because ") and "train" in found["no_baselines"]


def test_a_reading_of_a_run_is_kept_for_its_release(
    brain_run: Path, slices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        asked = ("--run", brain_run, "--data", slices, "--split", "test", "--reason", "before release")
        command(monkeypatch, evaluate, *asked)
        folder = tmp_path / "brain-tumour" / "1"
        release(TINY_BRAIN, FACTS["brain-tumour"], brain_run, slices, folder, "release", force="made up")
        assert [r["reason"] for r in metrics(folder)["readings"]] == ["before release", "release"]  # type: ignore[index]
    finally:
        (brain_run / "readings.json").unlink()  # the run is shared


def test_a_site_gets_its_own_calibration_and_the_version_stays(
    brain_version: Path, slices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, out = (brain_version / "model.json").read_bytes(), brain_version.parent / "site"
    command(monkeypatch, calibrate, "--version", brain_version, "--data", slices, "--split", "test", "--out", out)
    found = json.loads((out / "calibration.json").read_text())
    assert found["shipped"] != found["calibration"]
    assert len(found["calibration"]["offset"]) == 4
    assert found["n"] == 120
    assert {path.name for path in out.glob("*.png")} == {
        "reliability.png",
        "confusion_before.png",
        "confusion_after.png",
    }
    assert (brain_version / "model.json").read_bytes() == before


def test_a_site_with_few_images_is_told_so(brain_version: Path, slices: Path, tmp_path: Path) -> None:
    judge, labels = opening.version(brain_version)
    with pytest.raises(ValueError, match=r"at least 30 images of each class.*: none 10 of 10, glioma 10 of 10"):
        calibrate.calibrate(judge, read_split(slices, "val", labels), tmp_path)


def test_the_card_can_be_written_anew(brain_version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (brain_version / "card.md").read_text()
    (brain_version / "card.md").write_text("spoilt")
    command(monkeypatch, card, "--version", brain_version)
    assert (brain_version / "card.md").read_text() == before
    open_version(brain_version, Settings(service_token=None)).close()


def test_served_and_scored_slices_get_the_same_logits(brain_version: Path, slices: Path) -> None:
    judge, labels = opening.version(brain_version)
    served = open_version(brain_version, Settings(service_token=None))
    path = slices / "test" / "glioma" / "001.png"
    try:
        seen = served.see_study(path.read_bytes(), 30)
    finally:
        served.close()
    test = read_split(slices, "test", labels)
    scored = judge.network(judge.prepared(test.films[test.classes == 1][:1])).logits
    np.testing.assert_allclose(seen.logits, scored, atol=2e-3)
