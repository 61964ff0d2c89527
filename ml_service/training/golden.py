"""The images that a version is checked with at every load, and what it said about them when it was made."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.manifest import Golden, GoldenCase
from ml_service.tasks.decode import grey_plane
from ml_service.training.datasets import read_rows
from ml_service.training.facts import Facts
from ml_service.training.foreign import noise
from ml_service.training.judge import Judge, run
from ml_service.training.recipes import Recipe

TOLERANCE = 0.01  # in probability: float32 sums differ by less between processors


def make(judge: Judge, recipe: Recipe, data: Path, folder: Path, about: Facts) -> Golden:
    """Writes noise and one image of each class (or drawn ones, where none may be shipped), and notes the answers."""
    folder.mkdir(exist_ok=True)
    if about.ships_images:
        rows = sorted((row for row in read_rows(data) if row.split == "val"), key=lambda row: row.path)
        for name in recipe.classes:
            first = next(row for row in rows if row.label == name)
            (folder / f"{name.lower()}.jpg").write_bytes((data / first.path).read_bytes())
    else:
        for name, image in drawn_heads():
            (folder / f"{name}.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())
    (folder / "noise.png").write_bytes(cv2.imencode(".png", noise()[0])[1].tobytes())
    (folder / "ATTRIBUTION.md").write_text(about.attribution, encoding="utf-8")
    images = sorted(folder.glob("*.[jp][pn]g"))
    return Golden(tolerance=TOLERANCE, cases=tuple(_case(judge, path) for path in images))


def drawn_heads(seed: int = 4000) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yields names and drawings, (224, 224), that are roughly a head: skull, brain, ventricles, and a bright spot in
    one of them. Nobody's head; a model may well refuse them, so their logits are compared as well."""
    rng = np.random.default_rng(seed)
    for name, spot in (("drawn-plain", None), ("drawn-spot", (80, 90))):
        head = np.zeros((224, 224), np.float32)
        cv2.ellipse(head, (112, 112), (82, 100), 0, 0, 360, 190, -1)  # scalp
        cv2.ellipse(head, (112, 112), (75, 93), 0, 0, 360, 20, -1)  # skull
        cv2.ellipse(head, (112, 112), (70, 88), 0, 0, 360, 105, -1)  # brain
        for x in (100, 124):
            cv2.ellipse(head, (x, 108), (8, 26), 0, 0, 360, 45, -1)  # ventricles
        cv2.line(head, (112, 26), (112, 198), 70, 2)
        if spot:
            cv2.circle(head, spot, 16, 215, -1)
        texture = cv2.GaussianBlur(rng.normal(0, 30, head.shape).astype(np.float32), (0, 0), 2.5)
        soft = cv2.GaussianBlur(head + texture * (head > 60), (0, 0), 1.2)
        yield name, np.clip(soft + rng.normal(0, 3, head.shape), 0, 255).astype(np.uint8)


def _case(judge: Judge, path: Path) -> GoldenCase:
    plane = grey_plane(path.read_bytes())
    pixels = judge.prepared([plane])
    logits, features, _ = run(judge.network, pixels)
    strangeness = float(judge.refusal.score(features, pixels)[0])
    verdict = judge.task.interpret(logits[0], strangeness, plane, judge.manifest)
    return GoldenCase(
        file=path.name,
        label=verdict.label,
        probability=verdict.findings[0].probability if verdict.findings else None,
        ood_score=verdict.ood_score,
        logits=tuple(round(float(logit), 4) for logit in logits[0]),
    )
