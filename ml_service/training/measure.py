"""Everything that metrics.json says of a version. The test split is read here, once a release."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from ml_service import site
from ml_service.tasks.decode import Grey
from ml_service.tasks.film import Pixels
from ml_service.training import baselines, framing, readings, tried
from ml_service.training.batches import augmented_films
from ml_service.training.datasets import Split, read_split
from ml_service.training.fit import SEED
from ml_service.training.foreign import read_others, turned
from ml_service.training.judge import Judge, run
from ml_service.training.matching import matched_split
from ml_service.training.plots import draw_scores
from ml_service.training.recipes import Recipe
from ml_service.training.scores import by_chance

Places = dict[str, str]  # name -> folder or .npz
WHEN = ("before", "after")


def measure(
    judge: Judge, recipe: Recipe, data: Path, foreign: dict[str, list[Grey]], shifted: Places, plots: Path
) -> dict[str, Any]:
    """Returns the scores of all sets and draws the plots of the test split. `foreign` images must be refused,
    `shifted` ones are of the right kind but of other patients."""
    train, held_out, test = (read_split(data, split, recipe.classes) for split in ("train", "val", "test"))
    films = judge.prepared(test.films)
    draw_scores(plots, judge.probabilities(films), test.classes, judge.manifest.calibration, judge.manifest.classes)
    varied = augmented_films(held_out, replace(recipe.phases[-1], side=judge.manifest.side), SEED - 1)
    refused = foreign | {f"good ones, {how}": planes for how, planes in turned(test.films).items()}
    return {
        "test": judge.score(films, test),
        "validation": judge.score(judge.prepared(held_out.films), held_out),
        "validation_augmented": judge.score(varied, held_out),
        "fitted_on": ["validation", "validation_augmented"],
        "ece_by_chance": by_chance(judge.probabilities(varied), len(test)),
        "beside_baselines": beside_baselines(judge, train, test),
        "site_calibration": _site(judge, films, test),
        framing.KEY: framing.framed_otherwise(judge, held_out),
        "refused_of_good_images": judge.refusals(list(test.films)),
        "refused_of_foreign_images": {name: judge.refusals(planes) for name, planes in refused.items()},
        "images_of_other_patients": {name: judge.refusals(read_others(Path(place))) for name, place in shifted.items()},
    }


def _site(judge: Judge, films: Pixels, test: Split) -> dict[str, Any]:
    """Returns what a fit to the test images' own site would change; {} when there are too few of them."""
    logits, manifest = run(judge.network, films)[0], judge.manifest
    try:
        _, found = site.fitted(logits, test.classes, test.patients, manifest.calibration, manifest.classes)
    except site.TooFew:
        return {}
    return {when: {name: _plain(found[when][name]) for name in ("accuracy", "ece", "brier")} for when in WHEN}


def _plain(score: Any) -> float:
    return float(score["value"] if isinstance(score, dict) else score)


def beside_baselines(judge: Judge, train: Split, test: Split) -> dict[str, dict[str, dict[str, float]]]:
    """Returns AUC and accuracy of the model and of both baselines, on the images as they are and with every
    histogram matched to the training images' mean histogram."""
    fitted = baselines.fitted(train)
    sets = {"as_they_are": test, "histogram_matched": matched_split(test, train)}
    return {
        name: {
            "this model": baselines.brief(
                judge.probabilities(judge.prepared(split.films)), split, judge.manifest.calibration
            )
        }
        | baselines.measure(fitted, split)
        for name, split in sets.items()
    }


def with_readings(metrics: dict[str, Any], model: Path, version: str, run_folder: Path, reason: str) -> dict[str, Any]:
    """Returns the metrics with every reading of the test split: of earlier versions, of the run, and this one; and with
    what was tried before."""
    now = readings.reading(version, reason, metrics["test"])
    before = readings.of_model(model)
    before += [entry for entry in readings.of_run(run_folder) if entry not in before]
    return metrics | {"readings": [*before, now], "tried": tried.of_model(model)}
