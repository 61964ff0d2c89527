"""The part of a card that says whether more patients would help."""

from typing import Any

from ml_service.training.facts import Facts
from ml_service.training.markdown import table


def learning_curve_section(found: dict[str, Any] | None, about: Facts) -> str:
    """Returns the section about the scores by the number of patients, or nothing."""
    if not found:
        return ""
    points = found["points"]
    rows = []
    for patients in sorted({point["patients"] for point in points}):
        here = [point for point in points if point["patients"] == patients]
        images = round(sum(point["images"] for point in here) / len(here))
        rows.append([str(patients), str(images), *(_spread(here, score) for score in ("val_auc", "varied_auc"))])
    return (
        "## Would more patients help?\n\n"
        f"The same network, from scratch, on growing shares of the training patients, {found['steps']:,} steps each "
        f"at {found['side']} x {found['side']} pixels (brief, so that it can be repeated: the scores are lower than "
        f"the model's). Where they stay the same, patients are not what limits a training of this length; it does not "
        f"say what a longer one would make of more. AUC on validation {about.images}, mean (lowest to highest of the "
        "seeds):\n\n" + table(["patients", about.images, "plain", "augmented"], rows)
    )


def _spread(points: list[dict[str, float]], score: str) -> str:
    values = [point[score] for point in points]
    return f"{sum(values) / len(values):.3f} ({min(values):.3f} to {max(values):.3f})"
