"""The card: what a model is, was trained on, and scored, in Markdown for a person."""

from typing import Any

from ml_service.manifest import Manifest
from ml_service.training.facts import Facts


def write(manifest: Manifest, metrics: dict[str, Any], about: Facts) -> str:
    """Returns the card. Every number comes from `metrics` or the manifest."""
    made = f"Model `{manifest.name}`, version {manifest.version}, trained {manifest.trained_at[:10]}."
    parts = [
        f"# {manifest.title}\n",
        f"{made} **Research use, not for diagnosis.**\n",
        f"## Use\n\n{about.use}\n",
        "## Limits\n\n" + "\n".join(f"- {limit}" for limit in about.limits) + "\n",
        f"## Patients\n\n{about.patients}\n",
        _counts(manifest),
        _scores(metrics),
        _refusals(metrics),
        _how(manifest, metrics),
        "## Source of the films\n\n" + about.attribution.split("\n\n", 1)[1].rstrip(),
    ]
    return "\n".join(parts) + "\n"


def _counts(manifest: Manifest) -> str:
    images, patients = manifest.training["images"], manifest.training["patients"]
    rows = [f"| {split} | {images[split]} | {patients[split]} |" for split in ("train", "val", "test")]
    return "\n".join(["| split | films | patients |", "|---|---|---|", *rows]) + "\n"


def _scores(metrics: dict[str, Any]) -> str:
    sets = {"test": "test", "validation": "validation", "augmented validation": "validation_augmented"}
    rows = []
    for measure in ("auc", "accuracy", "sensitivity", "specificity"):
        cells = [_interval(metrics[key][measure]) for key in sets.values()]
        rows.append(f"| {measure if measure != 'auc' else 'AUC'} | " + " | ".join(cells) + " |")
    for measure, name in (
        ("ece", "calibration error (ECE)"),
        ("brier", "Brier score"),
        ("uncertain_share", "called uncertain"),
        ("accuracy_when_certain", "accuracy of the others"),
    ):
        rows.append(f"| {name} | " + " | ".join(f"{metrics[key][measure]:.3f}" for key in sets.values()) + " |")
    head = "| | " + " | ".join(f"{name} (n = {metrics[key]['n']})" for name, key in sets.items()) + " |"
    return (
        "## Scores\n\nWith 95 % bootstrap intervals. Judge by the test column: validation films are easier. "
        "Scaling and operating point were fitted on augmented validation films, so the last column flatters.\n\n"
        + "\n".join([head, "|---|---|---|---|", *rows])
        + f"\n\nThe test split was read on {metrics['test']['read_at'][:10]}: {metrics['test']['reason']}\n"
    )


def _interval(score: dict[str, float]) -> str:
    return f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"


def _refusals(metrics: dict[str, Any]) -> str:
    sets = {"good films (test)": metrics["refused_of_good_films"]}
    sets |= metrics["refused_of_foreign_images"] | metrics["films_of_other_patients"]
    rows = []
    for name, found in sets.items():
        said = found["positive_share_of_answered"]
        cell = "-" if said is None else f"{100 * said:.0f} %"
        rows.append(f"| {name} | {found['n']} | {100 * found['refused_share']:.1f} % | {cell} |")
    return (
        "## Refusal\n\nAn image that is unlike the training films gets no answer.\n\n"
        + "\n".join(["| images | n | refused | of the answered: called positive |", "|---|---|---|---|", *rows])
        + "\n"
    )


def _how(manifest: Manifest, metrics: dict[str, Any]) -> str:
    fit = manifest.calibration
    low, high = fit.uncertain_band
    return (
        "## How it works\n\n"
        f"Architecture `{manifest.architecture}`, {manifest.parameters:,} parameters, trained from scratch. A film is "
        f"squashed to 224 x 224, its middle 90 % resized to {manifest.side} x {manifest.side} and histogram-equalised. "
        f"The probability is sigmoid({fit.scale:.3f} x logit {fit.offset:+.3f}); positive from {fit.operating_point}; "
        f'between {low} and {high} the answer is "uncertain". The heat map is the class activation map of a coarse '
        f"{manifest.side // 32} x {manifest.side // 32} grid: it shows a region, not an outline. An image is refused "
        f"when the Mahalanobis distance of its features exceeds {manifest.typical.threshold}, the 99th percentile of "
        "validation films.\n"
    )
