"""Pictures for the card: dark, because the portal is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from ml_service.calibration import decided
from ml_service.manifest import Calibration
from ml_service.measures import Classes, Floats, counts, reliability

matplotlib.use("Agg")
from matplotlib import pyplot as plt

COLOURS = ("#4cc2ff", "#ffb454", "#8fd97c", "#e08bd8", "#e6e05a", "#ff7b72")
LINE, SECOND, GUIDE = COLOURS[0], COLOURS[1], "#6b7680"


@contextmanager
def figure(path: Path, title: str, x: str, y: str, width: float = 4.0) -> Iterator[Any]:
    """Gives axes and writes the PNG at the end."""
    with plt.style.context("dark_background"):
        drawn, axes = plt.subplots(figsize=(width, 3.6), dpi=100)
        drawn.patch.set_facecolor("#12171c")
        axes.set_facecolor("#12171c")
        axes.set_title(title, fontsize=11)
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        yield axes
        drawn.tight_layout()
        drawn.savefig(path)
        plt.close(drawn)


def draw_scores(
    folder: Path,
    probabilities: Floats,
    classes: Classes,
    fit: Calibration,
    names: Sequence[str],
    where: str = "test",
) -> None:
    """Writes roc.png, precision_recall.png, reliability.png and confusion.png for one set of images (n, classes):
    one curve for two classes, one for each class against the rest for more."""
    folder.mkdir(parents=True, exist_ok=True)
    answers = decided(probabilities, fit)
    shown = [1] if len(names) == 2 else range(len(names))
    with figure(folder / "roc.png", f"ROC ({where})", "1 - specificity", "sensitivity") as axes:
        axes.plot([0, 1], [0, 1], color=GUIDE, linestyle=":")
        for number, colour in zip(shown, COLOURS, strict=False):
            x, y, _ = roc_curve(classes == number, probabilities[:, number])
            axes.plot(x, y, color=colour, label=names[number])
            called, is_so = answers == number, classes == number
            axes.plot([called[~is_so].mean()], [called[is_so].mean()], "o", color=colour)
        axes.legend(loc="lower right", title="dot: as answered", fontsize=8, title_fontsize=8)
    with figure(folder / "precision_recall.png", f"Precision and recall ({where})", "recall", "precision") as axes:
        for number, colour in zip(shown, COLOURS, strict=False):
            precision, recall, _ = precision_recall_curve(classes == number, probabilities[:, number])
            axes.plot(recall, precision, color=colour, label=names[number])
        axes.set_ylim(0.5, 1.01)
        axes.legend(loc="lower left", fontsize=8)
    draw_reliability(folder / "reliability.png", {"": reliability(probabilities, classes)}, where)
    draw_confusion(folder / "confusion.png", counts(answers, classes, len(names)), names, where)


def draw_reliability(path: Path, lines: dict[str, list[dict[str, float]]], where: str) -> None:
    """Writes the bins of measures.reliability, one line for each name; a dot's size is its share of images."""
    with figure(path, f"Reliability ({where})", "probability said", "share that had it") as axes:
        axes.plot([0, 1], [0, 1], color=GUIDE, linestyle=":")
        for (name, bins), colour in zip(lines.items(), COLOURS, strict=False):
            said, came = [b["said"] for b in bins], [b["came"] for b in bins]
            axes.plot(said, came, color=colour, linewidth=1, label=name)
            axes.scatter(said, came, s=[20 + 400 * b["share"] for b in bins], color=colour, alpha=0.8)
        if len(lines) > 1:
            axes.legend(loc="upper left", fontsize=8)


def draw_confusion(path: Path, found: Classes, names: Sequence[str], where: str) -> None:
    """Writes found (classes, classes), rows the truth, coloured by their share of the row."""
    places, many = range(len(names)), len(names) > 2
    with figure(path, f"Confusion ({where})", "model", "truth", width=4.8 if many else 4.0) as axes:
        axes.imshow(found / np.maximum(1, found.sum(axis=1, keepdims=True)), cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(places, names, fontsize=8 if many else 10)
        axes.set_yticks(places, names, rotation=0 if many else 90, va="center", fontsize=8 if many else 10)
        for (row, column), count in np.ndenumerate(found):
            colour = "white" if found[row].sum() < 2 * count else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=14)


def draw_curves(path: Path, history: list[dict[str, str]]) -> None:
    """Writes loss and validation AUC by epoch from the lines of history.csv."""
    epochs = [int(row["epoch"]) for row in history]
    with figure(path, "Training", "epoch", "AUC on validation", width=5.5) as axes:
        axes.plot(epochs, [float(row["val_auc"]) for row in history], color=LINE, label="plain")
        axes.plot(epochs, [float(row["varied_auc"]) for row in history], color=SECOND, label="augmented")
        axes.set_ylim(top=1.0)
        axes.legend(loc="lower right")


def draw_learning_curve(path: Path, points: Sequence[dict[str, Any]]) -> None:
    """Writes AUC on validation images by the number of training patients; a dot is a seed, the line their mean."""
    sizes = sorted({point["patients"] for point in points})
    with figure(path, "Would more patients help?", "training patients", "AUC on validation", width=5.5) as axes:
        for score, name, colour in (("val_auc", "plain", LINE), ("varied_auc", "augmented", SECOND)):
            axes.scatter([p["patients"] for p in points], [p[score] for p in points], color=colour, s=14)
            means = [np.mean([p[score] for p in points if p["patients"] == size]) for size in sizes]
            axes.plot(sizes, means, color=colour, linewidth=1, label=name)
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.set_ylim(top=1.0)
        axes.legend(loc="center left")


def draw_deletion(path: Path, curves: dict[str, list[float]]) -> None:
    """Writes the answer's log-odds by the share of the map's cells that are greyed (up to half), one line an order."""
    with figure(path, "Greying the map's cells", "share greyed", "log-odds of the answer", width=5.5) as axes:
        for (name, values), colour in zip(curves.items(), COLOURS, strict=False):
            shares = np.linspace(0, 0.5, len(values))
            axes.plot(shares, values, color=colour, label=f"{name} first" if name != "random" else "at random")
        axes.legend(loc="lower left", fontsize=8)
