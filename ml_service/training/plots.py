"""Pictures for the card: dark, because the portal is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

from ml_service.training.scores import Classes, Floats, reliability

matplotlib.use("Agg")
from matplotlib import pyplot as plt

LINE, SECOND, GUIDE = "#4cc2ff", "#ffb454", "#6b7680"


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


def draw_scores(folder: Path, probabilities: Floats, classes: Classes, threshold: float) -> None:
    """Writes roc.png, precision_recall.png, reliability.png and confusion.png for one set of images."""
    folder.mkdir(parents=True, exist_ok=True)
    positive = probabilities >= threshold
    sensitivity = positive[classes == 1].mean()
    false_alarms = positive[classes == 0].mean()
    with figure(folder / "roc.png", "ROC (test)", "1 - specificity", "sensitivity") as axes:
        x, y, _ = roc_curve(classes, probabilities)
        axes.plot(x, y, color=LINE)
        axes.plot([0, 1], [0, 1], color=GUIDE, linestyle=":")
        axes.plot([false_alarms], [sensitivity], "o", color=SECOND, label="operating point")
        axes.legend(loc="lower right")
    with figure(folder / "precision_recall.png", "Precision and recall (test)", "recall", "precision") as axes:
        precision, recall, _ = precision_recall_curve(classes, probabilities)
        axes.plot(recall, precision, color=LINE)
        axes.plot([sensitivity], [classes[positive].mean()], "o", color=SECOND, label="operating point")
        axes.set_ylim(0.5, 1.01)
        axes.legend(loc="lower left")
    with figure(folder / "reliability.png", "Reliability (test)", "probability said", "share that had it") as axes:
        bins = reliability(probabilities, classes)
        axes.plot([0, 1], [0, 1], color=GUIDE, linestyle=":")
        sizes = [20 + 400 * b["share"] for b in bins]
        axes.plot([b["said"] for b in bins], [b["came"] for b in bins], color=LINE, linewidth=1)
        axes.scatter([b["said"] for b in bins], [b["came"] for b in bins], s=sizes, color=LINE, alpha=0.8)
    _confusion(folder / "confusion.png", classes, positive)


def _confusion(path: Path, classes: Classes, positive: Any) -> None:
    counts = confusion_matrix(classes, positive.astype(int))
    with figure(path, "Confusion (test)", "model", "truth") as axes:
        axes.imshow(counts / counts.sum(axis=1, keepdims=True), cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks([0, 1], ["normal", "pneumonia"])
        axes.set_yticks([0, 1], ["normal", "pneumonia"], rotation=90, va="center")
        for (row, column), count in np.ndenumerate(counts):
            dark = counts[row].sum() < 2 * count
            axes.text(
                column, row, str(count), ha="center", va="center", color="white" if dark else "black", fontsize=14
            )


def draw_curves(path: Path, history: list[dict[str, str]]) -> None:
    """Writes loss and validation AUC by epoch from the lines of history.csv."""
    epochs = [int(row["epoch"]) for row in history]
    with figure(path, "Training", "epoch", "AUC on validation", width=5.5) as axes:
        axes.plot(epochs, [float(row["val_auc"]) for row in history], color=LINE, label="plain")
        axes.plot(epochs, [float(row["varied_auc"]) for row in history], color=SECOND, label="augmented")
        axes.set_ylim(top=1.0)
        axes.legend(loc="lower right")
