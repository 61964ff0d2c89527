"""`python -m ml_service.training.card --version FOLDER`: writes card.md anew from model.json and metrics.json.

The card says in Markdown what a model is, was trained on, and scored. Every number comes from those two files.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from ml_service import manifest as manifests
from ml_service.manifest import Manifest, Prompted
from ml_service.training import framing, origin
from ml_service.training.card_framing import framing_section
from ml_service.training.card_heat import heat_section
from ml_service.training.card_learning_curve import learning_curve_section
from ml_service.training.card_precision import precision_section
from ml_service.training.card_refusal import refusal_section
from ml_service.training.facts import FACTS, Facts
from ml_service.training.markdown import interval, plain, table
from ml_service.training.seal import seal
from ml_service.training.tried import tried_section

SETS = {"test": "test", "validation": "validation", "augmented validation": "validation_augmented"}
PLAIN = {
    "ece": "calibration error (ECE)",
    "brier": "Brier score",
    "uncertain_share": "called uncertain",
    "accuracy_when_certain": "accuracy of the others",
}

REACH = {
    "mean": "the training images' mean",
    "class mean": "the nearest class's mean",
    "training image": "the nearest training image",
}
TOGETHER = "the first two count as one, the root of the sum of their squares, "
FITTED_ON_BOTH = (
    "Scaling and operating point were fitted on validation images, half as they are and half augmented, so the last "
    "two columns flatter. What is refused was fitted on training and validation images in three framings (below), "
    "their means and the limit."
)
FITTED_ON_VARIED = (
    "Scaling and operating point were fitted on augmented validation images, so the last column flatters."
)
MIRRORED = "It is read as it is and mirrored, and what the network says of both is averaged. "


def main() -> None:
    """Reads the command line and writes the card."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--version", required=True, type=Path, metavar="FOLDER", help="a version's folder")
    rewrite(parser.parse_args().version)


def rewrite(folder: Path) -> Manifest:
    """Writes a version's card anew and seals its folder; returns the manifest with the new hashes."""
    manifest = manifests.read(folder)
    metrics = json.loads((folder / manifests.METRICS).read_text(encoding="utf-8"))
    (folder / manifests.CARD).write_text(write(manifest, metrics, FACTS[manifest.task]), encoding="utf-8")
    return seal(folder, manifest)


def put(folder: Path, key: str, found: dict[str, Any]) -> None:
    """Puts what was measured into a version's metrics.json, and writes its card anew."""
    path = folder / manifests.METRICS
    metrics = json.loads(path.read_text(encoding="utf-8")) | {key: found}
    path.write_text(json.dumps(metrics, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    rewrite(folder)


def write(manifest: Manifest, metrics: dict[str, Any], about: Facts) -> str:
    """Returns the card."""
    parts = [
        *opening(manifest, about),
        _scores(metrics),
        _by_class(metrics["test"].get("by_class", {})),
        _baselines(metrics.get("beside_baselines")),
        _site(metrics.get("site_calibration")),
        _readings(metrics["readings"]),
        framing_section(metrics.get(framing.KEY), about),
        refusal_section(metrics),
        _how(manifest, about),
        heat_section(metrics.get("heat"), about),
        precision_section(metrics.get("precision"), about),
        _tried(manifest, about, metrics),
        learning_curve_section(metrics.get("learning_curve"), about),
        f"## Source of the {about.images}\n\n" + about.attribution.split("\n\n", 1)[1].rstrip(),
    ]
    return "\n".join(part for part in parts if part) + "\n"


def opening(manifest: Manifest | Prompted, about: Facts) -> list[str]:
    """Returns what every trained model's card begins with."""
    made = f"Model `{manifest.name}`, version {manifest.version}, trained {manifest.trained_at[:10]}."
    return [
        f"# {manifest.title}\n",
        f"{made} **Research use, not for diagnosis.**\n",
        f"## Use\n\n{about.use}\n",
        "## Limits\n\n" + "\n".join(f"- {limit}" for limit in about.limits) + "\n",
        f"## Patients\n\n{about.patients}\n",
        counts(manifest, about),
    ]


def counts(manifest: Manifest | Prompted, about: Facts) -> str:
    images, patients = manifest.training["images"], manifest.training["patients"]
    rows = [[split, str(images[split]), str(patients[split])] for split in ("train", "val", "test")]
    return table(["split", about.images, "patients"], rows)


def _scores(metrics: dict[str, Any]) -> str:
    found = [metrics[key] for key in SETS.values()]
    intervals = [name for name, value in found[0].items() if isinstance(value, dict) and "value" in value]
    rows = [[name if name != "auc" else "AUC", *(interval(one[name]) for one in found)] for name in intervals]
    rows += [[name, *(plain(one[key]) for one in found)] for key, name in PLAIN.items()]
    head = ["", *(f"{name} (n = {one['n']})" for name, one in zip(SETS, found, strict=True))]
    return (
        f"## Scores\n\nWith 95 % intervals of bootstraps that draw {_drawn(found[0])}. Judge by the test column. "
        f"{FITTED_ON_BOTH if metrics.get('fitted_on') else FITTED_ON_VARIED}\n\n"
        + table(head, rows)
        + _by_chance(metrics.get("ece_by_chance"))
    )


def _drawn(test: dict[str, Any]) -> str:
    """Returns what the intervals' draws were of."""
    if "patients" in test:
        return "patients, not images"
    return (
        "images as if each were of another patient. Some are of the same one, so the true intervals are somewhat "
        "wider; versions made from now on draw patients, and test was not read again for that"
    )


def _by_chance(found: dict[str, Any] | None) -> str:
    if not found:
        return ""
    return (
        f"\nWhat {found['n']} images can show of calibration: perfectly honest probabilities like these would have an "
        f"ECE of {found['mean']:.3f} on average, by chance alone, and one time in twenty more than {found['high']:.3f} "
        f"(simulated: {found['draws']:,} draws from the augmented validation images' probabilities). An error near or "
        "below that is not told from none.\n"
    )


def _by_class(found: dict[str, Any]) -> str:
    if not found:
        return ""
    rows = [[k, str(v["n"]), interval(v["sensitivity"]), interval(v["precision"])] for k, v in found.items()]
    head = ["class", "n", "sensitivity", "precision"]
    return (
        "Over all classes AUC is the mean of one class against the rest, ECE that of the most probable class, the "
        "Brier score the sum over classes. By class, on test:\n\n" + table(head, rows)
    )


def _baselines(found: dict[str, Any] | None) -> str:
    if not found:  # the first version of all was made before they were measured
        return ""
    rows = [
        [name, *(f"{plain(one[name]['auc'])} / {plain(one[name]['accuracy'])}" for one in found.values())]
        for name in found["as_they_are"]
    ]
    return (
        "Beside linear models fitted on the same training images, on test (AUC / accuracy). In the last column every "
        "image's grey levels were moved by rank to the training images' mean histogram, all classes counting the same, "
        "so that no histogram gives its class away:\n\n" + table(["", "as they are", "histogram-matched"], rows)
    )


def _site(found: dict[str, Any] | None) -> str:
    if not found:
        return ""
    rows = [
        [name, *(plain(found[when][key]) for when in ("before", "after"))]
        for key, name in (("accuracy", "accuracy"), ("ece", PLAIN["ece"]), ("brier", PLAIN["brier"]))
    ]
    return (
        "If scaling and operating point were fitted to the site that the test images come from (five-fold, each image "
        "by a fit to other patients; not what is shipped):\n\n" + table(["", "as shipped", "fitted to the site"], rows)
    )


def _readings(found: list[dict[str, Any]]) -> str:
    rows = [
        [str(r["date"])[:10], str(r["version"]), plain(r["auc"]), plain(r["accuracy"]), str(r["reason"])] for r in found
    ]
    return "Every reading of the test split:\n\n" + table(["date", "version", "AUC", "accuracy", "reason"], rows)


def _how(manifest: Manifest, about: Facts) -> str:
    fit = manifest.calibration
    low, high = fit.uncertain_band
    if isinstance(fit.offset, float):
        said = f"The probability is sigmoid({fit.scale:.3f} x logit {fit.offset:+.3f}); positive from "
        said += f'{fit.operating_point}; between {low} and {high} the answer is "uncertain".'
    else:
        offsets = ", ".join(f"{offset:+.3f}" for offset in fit.offset)
        said = f"The probabilities are softmax({fit.scale:.3f} x logits + ({offsets})); the most probable class is the "
        said += f'answer, and up to {high} the answer is "uncertain".'
    start = origin.in_words(manifest.training["config"], about.images)
    twice = MIRRORED if manifest.params.get("mirrored") else ""
    return (
        "## How it works\n\n"
        f"Architecture `{manifest.architecture}`, {manifest.parameters:,} parameters, trained {start}. An image is "
        f"squashed to 224 x 224, its middle 90 % resized to {manifest.side} x {manifest.side} and histogram-equalised. "
        f"{twice}{said} The heat map is coarse: it shows a region, not an outline. {refused_by(manifest, about)}\n"
    )


def _tried(manifest: Manifest, about: Facts, metrics: dict[str, Any]) -> str:
    """What was tried is said of the task's own network, not of those that it is compared with."""
    return tried_section(about.tried, metrics) if manifest.title == about.title else ""


def refused_by(manifest: Manifest, about: Facts) -> str:
    distance = f"the Mahalanobis distance of its features to {REACH[manifest.typical.nearest]}"
    if manifest.typical.spans is None:
        said = f"An image is refused when {distance} exceeds {manifest.typical.threshold}, "
    else:
        said = (
            f"Three measures tell how strange an image is: {distance}; that of a description of its pixels (edges, a "
            "thumbnail, octaves) to the training images' mean; and the odds that it is turned or a negative. Each is "
            f"scaled by validation {about.images}, {TOGETHER if manifest.typical.together else ''}and an image is "
            f"refused when the largest exceeds {manifest.typical.threshold}, "
        )
    return f"{said}the 99th percentile of validation {about.images}."


if __name__ == "__main__":
    main()
