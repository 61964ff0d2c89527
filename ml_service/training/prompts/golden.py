"""The slices that a version is checked with at every load, and what it outlined when it was made."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.manifest import Golden, GoldenCase
from ml_service.prompts.boxes import Prompt
from ml_service.prompts.networks import PromptNetwork
from ml_service.prompts.studies import Studies
from ml_service.tasks.box_prompt import drawn as outlined
from ml_service.training.prompts.sources import SCANS, volume
from portal_wire.contract import SEGMENTED

TOLERANCE = 0.004  # of the slice's area
SOFT_TISSUE_HU = (-160, 240)
# x_min, y_min, x_max, y_max
BOXES = {"drawn.png": ((28, 24, 92, 76), (120, 40, 168, 128)), "trunk.png": ((10, 20, 50, 60), (55, 55, 75, 80))}


def make(network: PromptNetwork, data: Path, folder: Path, sources: str) -> Golden:
    """Writes a drawn image, which is not square, and a slice of the training CT, and notes what is outlined."""
    folder.mkdir()
    levels, _ = volume(data, SCANS[0])
    low, high = SOFT_TISSUE_HU
    trunk = np.clip((levels[:, :, 15].T - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    for name, plane in (("drawn.png", drawn()), ("trunk.png", trunk)):
        (folder / name).write_bytes(cv2.imencode(".png", plane)[1].tobytes())
    (folder / "ATTRIBUTION.md").write_text(sources, encoding="utf-8")
    return Golden(
        tolerance=TOLERANCE, cases=tuple(case(network, folder / name, boxes) for name, boxes in BOXES.items())
    )


def drawn() -> NDArray[np.uint8]:
    """Returns a bright and a dark ellipse on noise, (150, 200)."""
    plane: Any = np.full((150, 200), 110, np.float32)
    cv2.ellipse(plane, (60, 50), (30, 24), 0, 0, 360, 190, -1)
    cv2.ellipse(plane, (144, 84), (22, 42), 0, 0, 360, 50, -1)
    noisy = cv2.GaussianBlur(plane, (0, 0), 1.0) + np.random.default_rng(4000).normal(0, 6, plane.shape)
    levels: NDArray[np.uint8] = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return levels


def case(network: PromptNetwork, path: Path, boxes: tuple[tuple[float, float, float, float], ...]) -> GoldenCase:
    """Returns what the network outlines in an image's boxes."""
    study = Studies(0).read(path.read_bytes())
    plane = study.plane(0)
    embedding = network.encode(plane)
    prompts = [Prompt(box, 0, 0, number, False) for number, box in enumerate(boxes, start=1)]
    labels = outlined(study, prompts, lambda _, asked: network.logits(embedding, plane, asked), lambda: None)
    shares = tuple(round(float((labels == prompt.label).mean()), 6) for prompt in prompts)
    return GoldenCase(file=path.name, label=SEGMENTED, probability=None, ood_score=0.0, shares=shares, boxes=boxes)
