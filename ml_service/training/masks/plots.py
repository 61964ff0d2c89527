"""Pictures for the card of a mask model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ml_service.label_maps import LabelMap
from ml_service.training.masks.pairs import Pair
from ml_service.training.plots import COLOURS, GUIDE, figure

OUTLINES = ((0, 159, 230), (233, 180, 86))  # BGR: orange and sky blue of Okabe and Ito, right lung and left
TRUTH = (255, 255, 255)
HEIGHT = 320  # pixels of a drawn film


def draw_dice(path: Path, dices: dict[str, Sequence[float]], where: str = "test") -> None:
    """Writes a histogram of each structure's Dice coefficients."""
    steps = np.linspace(min(0.8, *(min(values) for values in dices.values())), 1, 17)
    with figure(path, f"Dice of each film ({where})", "Dice", "films") as axes:
        for (name, values), colour in zip(dices.items(), COLOURS, strict=False):
            axes.hist(values, steps, histtype="step", linewidth=2, color=colour, label=name.replace("_", " "))
            axes.axvline(float(np.mean(values)), color=colour, linestyle=":")
        axes.legend(loc="upper left", title="dotted: mean", fontsize=8, title_fontsize=8)


def draw_outlines(path: Path, films: Sequence[tuple[Pair, LabelMap]]) -> None:
    """Writes films side by side with the model's outlines in colour and the masks' in white."""
    drawn = [_drawn(pair, found) for pair, found in films]
    gap = np.full((HEIGHT, 6, 3), 0x12, np.uint8)
    parts = [part for one in drawn for part in (one, gap)][:-1]
    path.write_bytes(cv2.imencode(".png", np.hstack(parts), [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes())


def draw_curves(path: Path, history: list[dict[str, str]]) -> None:
    """Writes loss and validation Dice by epoch from the lines of history.csv."""
    judged = [row for row in history if row["val_dice"]]
    with figure(path, "Training", "epoch", "Dice on validation", width=5.5) as axes:
        axes.plot([int(row["epoch"]) for row in judged], [float(row["val_dice"]) for row in judged], color=COLOURS[0])
        other = axes.twinx()
        other.plot([int(row["epoch"]) for row in history], [float(row["loss"]) for row in history], color=GUIDE)
        other.set_ylabel("loss (grey)")
        axes.set_ylim(top=1.0)


def _drawn(pair: Pair, found: LabelMap) -> Any:
    size = (round(HEIGHT * pair.plane.shape[1] / pair.plane.shape[0]), HEIGHT)
    picture = cv2.cvtColor(cv2.resize(pair.plane, size, interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2BGR)
    for number, colour in enumerate(OUTLINES):
        for mask, line in ((pair.masks[:, :, number] > 0, TRUTH), (found == number + 1, colour)):
            small = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
            edges, _ = cv2.findContours(small, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(picture, edges, -1, line, 1)
    return picture
