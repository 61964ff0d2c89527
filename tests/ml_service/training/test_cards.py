"""What the cards of the versions that ship admit, beside what they claim."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from ml_service import manifest as manifests
from ml_service.manifest import FILE, INT8, WEIGHTS, Manifest, read_any
from ml_service.settings import SHIPPED
from ml_service.training import readings, tried
from ml_service.training.card_precision import precision_section
from ml_service.training.card_refusal import refusal_section
from ml_service.training.facts import FACTS
from ml_service.training.framing import FRAMINGS

FOLDERS = sorted(path.parent for path in SHIPPED.glob(f"*/*/{FILE}"))
CLASSIFIERS = [folder for folder in FOLDERS if isinstance(told := read_any(folder), Manifest) and not told.outlines]
NEWEST = {folder.parent.name: folder for folder in sorted(CLASSIFIERS, key=lambda folder: int(folder.name))}
HOUSE = ("pneumonia", "brain-tumour")


def metrics(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "metrics.json").read_text())
    return found


def named(folder: Path) -> str:
    return f"{folder.parent.name}-{folder.name}"


def test_weights_are_as_small_as_promised() -> None:
    """Weights are what a network computes with, in whatever form: weights.npz, and the 8-bit graph with its numbers.
    Not counted: what typical images look like, plots, golden images."""
    forms = (WEIGHTS, INT8, Path(INT8).with_suffix(".bin").name)
    sizes = {
        folder: sum((folder / form).stat().st_size for form in forms if (folder / form).exists()) for folder in FOLDERS
    }
    assert max(sizes.values()) <= 25e6
    assert 30e6 < sum(sizes.values()) <= 60e6


def test_a_narrow_version_is_of_at_most_five_megabytes() -> None:
    told = {folder: manifests.read(folder) for folder in CLASSIFIERS}
    narrow = {folder: one.architecture for folder, one in told.items() if one.params.get("width", 1) < 1}
    assert set(narrow.values()) == {"resnet50", "vgg16_bn", "cnn4", "cnn_attention", "attention"}
    assert max((folder / WEIGHTS).stat().st_size for folder in narrow) <= 5e6


@pytest.mark.parametrize("task", HOUSE)
def test_every_architecture_ships_for_both_tasks(task: str) -> None:
    """One trained version of each, so that the page that compares has columns for both."""
    told = [manifests.read(folder) for folder in NEWEST.values() if manifests.read(folder).task == task]
    assert sorted(one.architecture for one in told) == sorted(
        ["house", "resnet50", "vgg16_bn", "cnn4", "cnn_attention", "attention"]
    )
    for one in told:
        network = one.architecture.replace("_", "-")
        assert one.name == (task if network == "house" else f"{task}-{network}")
        assert (len(one.labels), one.kind) == ({"pneumonia": 1, "brain-tumour": 4}[task], "image")


@pytest.mark.parametrize("folder", NEWEST.values(), ids=named)
def test_the_newest_version_has_every_reading_of_all_and_its_card_shows_them(folder: Path) -> None:
    found = metrics(folder)["readings"]
    assert {json.dumps(entry) for entry in readings.of_model(folder.parent)} == {json.dumps(entry) for entry in found}
    card = (folder / "card.md").read_text()
    assert all(f"| {entry['date'][:10]} | {entry['version']} |" in card and entry["reason"] in card for entry in found)


def test_the_readings_of_the_site_calibrations_trials_are_on_record() -> None:
    found = metrics(NEWEST["pneumonia"])["readings"]
    assert [entry["version"] for entry in found if "site calibration" in entry["reason"]] == ["1", "1", "2"]


@pytest.mark.parametrize("folder", CLASSIFIERS, ids=named)
def test_cards_say_what_their_figures_cannot_show(folder: Path) -> None:
    card, found = (folder / "card.md").read_text(), metrics(folder)
    assert "chosen and bettered with these same sets" in card
    few = [name for name, one in found["refused_of_foreign_images"].items() if one["n"] < 20]
    assert all(f"{name} ({found['refused_of_foreign_images'][name]['n']})" in card.split("Too few")[1] for name in few)
    said = "draw patients, not images" if "patients" in found["test"] else "test was not read again for that"
    assert said in card


@pytest.mark.parametrize("name", HOUSE)
def test_the_house_networks_say_what_their_test_images_can_show_of_calibration(name: str) -> None:
    found, card = metrics(NEWEST[name]), (NEWEST[name] / "card.md").read_text()
    chance = found["ece_by_chance"]
    assert chance["n"] == found["test"]["n"] and 0 < chance["mean"] < chance["high"]
    assert f"ECE of {chance['mean']:.3f} on average" in card


@pytest.mark.parametrize("name", HOUSE)
def test_the_house_networks_say_what_their_rounding_changes(name: str) -> None:
    """And any version that is served in 8 bits does."""
    for folder in {NEWEST[name], *(one for one in NEWEST.values() if manifests.read(one).precision == "int8")}:
        assert "## Served in" in (folder / "card.md").read_text()
        assert metrics(folder)["precision"]["precision"] == manifests.read(folder).precision


def test_the_line_on_rounding_tells_both_figures() -> None:
    found = {"precision": "int8", "images": 500, "other_answers": 0.004, "time_share": 0.3}
    found |= {"auc": [0.99, 0.98], "accuracy": [0.9, 0.902], "refused_share": [0.01, 0.01]}
    said = precision_section(found, FACTS["pneumonia"])
    for words in ("8 bits", "30% of the time", "500 validation films", "AUC 0.9800 where float32 has 0.9900 (-0.0100)"):
        assert words in said
    assert "accuracy 0.9020 where float32 has 0.9000 (+0.0020)" in said and "another answer for 2." in said
    assert precision_section(found | {"precision": "f32"}, FACTS["pneumonia"]) == ""
    assert precision_section(None, FACTS["pneumonia"]) == ""


def test_a_set_of_two_images_is_called_too_few() -> None:
    one = {"n": 300, "refused_share": 1.0, "positive_share_of_answered": None}
    found = {"refused_of_good_images": one, "images_of_other_patients": {}}
    said = refusal_section(found | {"refused_of_foreign_images": {"noise": one, "photographs": one | {"n": 2}}})
    assert "Too few to tell anything: photographs (2)." in said
    assert "Too few" not in refusal_section(found | {"refused_of_foreign_images": {"noise": one}})


def test_what_was_tried_goes_on_record_and_on_the_card(brain_version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {
        "what": "larger input",
        "on": "validation, n = 40",
        "without": "AUC .9",
        "with": "AUC .8",
        "outcome": "worse",
    }
    words = [word for name, text in entry.items() for word in (f"--{name}", text)]
    monkeypatch.setattr(sys, "argv", ["command", "--version", str(brain_version), *words])
    tried.main()
    assert metrics(brain_version)["tried"] == [entry]
    assert "| larger input | validation, n = 40 | AUC .9 | AUC .8 | worse |" in (brain_version / "card.md").read_text()
    assert tried.of_model(brain_version.parent) == [entry]


@pytest.mark.parametrize("name", HOUSE)
def test_the_house_networks_have_a_record_of_what_was_tried(name: str) -> None:
    found = metrics(NEWEST[name])["tried"]
    assert found and all(set(entry) == set(tried.COLUMNS) for entry in found)


@pytest.mark.parametrize("folder", NEWEST.values(), ids=named)
def test_the_heat_shows_what_the_answer_rests_on(folder: Path) -> None:
    found, card = metrics(folder)["heat"], (folder / "card.md").read_text()
    assert found["gap"]["low"] > 0 and "do not rely on its heat map" not in card
    assert found["correlation"] < 0.25 and (folder / "plots" / "deletion.png").exists()


@pytest.mark.parametrize("folder", NEWEST.values(), ids=named)
def test_cards_say_what_another_framing_does(folder: Path) -> None:
    found, card = metrics(folder)["framing"], (folder / "card.md").read_text()
    for name in FRAMINGS:
        assert f"| {name} | {found[name]['auc']:.3f} | {found[name]['accuracy']:.3f} |" in card


def test_the_house_network_does_not_go_by_the_shape_of_a_film() -> None:
    found = metrics(NEWEST["pneumonia"])["framing"]
    for name in FRAMINGS:
        assert min(found[name]["sensitivity"].values()) > 0.9 and found[name]["refused_share"] < 0.03


@pytest.mark.parametrize("folder", NEWEST.values(), ids=named)
def test_pictures_that_nobody_had_in_sight_are_refused(folder: Path) -> None:
    found = metrics(folder)["refused_of_foreign_images"]["pictures of things (held out)"]
    assert found["n"] == 300 and found["refused_share"] >= 0.98
    assert "Those marked 'held out' were looked at once" in (folder / "card.md").read_text()
