"""Pictures for the card of the box-prompt model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ml_service.prompts.compact import around, spread
from ml_service.training.plots import COLOURS, GUIDE, figure
from ml_service.training.prompts.measure import Scored

FOUND, TRUTH, BOX = (0, 159, 230), (255, 255, 255), (233, 180, 86)  # BGR: orange, white, sky blue
SIDE = 260  # pixels of a drawn object
SHOWN = ("belly CT", "chest CT", "head MR")  # sets whose licence lets them be shown
HU = (-160.0, 240.0)


def draw_dice(
    path: Path, by_structure: dict[str, Any], ways: Sequence[str] = ("network", "GrabCut, middle given", "ellipse")
) -> None:
    """Writes each structure's mean Dice, with its interval, of the network and of what needs none."""
    with figure(path, "Dice on test, structures never learnt from", "Dice", "", width=6.0) as axes:
        for at, (way, colour) in enumerate(zip(("network", "GrabCut, middle given", "ellipse"), COLOURS, strict=False)):
            values = [one[way] for one in by_structure.values()]
            places = np.arange(len(values)) + 0.25 * (1 - at)
            middle = np.array([value["value"] for value in values])
            off = np.array([[v["value"] - v["low"] for v in values], [v["high"] - v["value"] for v in values]])
            axes.errorbar(middle, places, xerr=np.maximum(off, 0), fmt="o", color=colour, label=way, capsize=3)
        axes.set_yticks(range(len(by_structure)), list(by_structure))
        axes.set_xlim(right=1.0)
        axes.legend(fontsize=8, loc="lower left")


def draw_curves(path: Path, history: list[dict[str, str]]) -> None:
    """Writes loss and validation Dice by step from the lines of history.csv."""
    steps = [int(row["step"]) for row in history]
    with figure(path, "Training", "step", "Dice on validation", width=5.5) as axes:
        axes.plot(steps, [float(row["val_dice"]) for row in history], color=COLOURS[0])
        other = axes.twinx()
        other.plot(steps, [float(row["loss"]) for row in history], color=GUIDE)
        other.set_ylabel("loss (grey)")
        axes.set_ylim(top=1.0)


def draw_outlines(path: Path, rows: Sequence[Scored]) -> None:
    """Writes, of each structure that may be shown, the object in the middle by its Dice: the network's outline, the
    truth's in white, and the box."""
    names = sorted({row.structure for row in rows if row.slice_.set in SHOWN})
    drawn = []
    for name in names:
        own = sorted((row for row in rows if row.structure == name), key=lambda row: row.dices["network"])
        drawn.append(_drawn(own[len(own) // 2]))
    path.write_bytes(cv2.imencode(".png", np.hstack(drawn), [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes())


def _drawn(row: Scored) -> Any:
    plane = row.slice_.plane
    low, high = HU if plane.min() < -500 else spread(plane)
    left, top, right, bottom = around(row.box)
    scale = SIDE / max(right - left, bottom - top)
    matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    grey = np.clip((plane - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    picture = cv2.cvtColor(cv2.warpAffine(grey, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC), cv2.COLOR_GRAY2BGR)
    corners = [round(float(value)) for value in ((row.box - np.array([left, top] * 2)) * scale)]
    cv2.rectangle(picture, corners[:2], corners[2:], BOX, 1)
    for mask, colour in ((row.mask > 0, TRUTH), (row.found, FOUND)):
        fine = cv2.warpAffine(mask.astype(np.uint8) * 255, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR) > 127
        edges, _ = cv2.findContours(fine.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, edges, -1, colour, 1)
    cv2.putText(picture, row.structure, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, TRUTH, 1, cv2.LINE_AA)
    return picture
