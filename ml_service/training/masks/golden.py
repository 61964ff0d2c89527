"""The films that a mask model is checked with at every load, and what it outlined when it was made."""

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ml_service.engines import Network
from ml_service.label_maps import measured_image
from ml_service.manifest import Golden, GoldenCase, Manifest
from ml_service.refusal import Refusal
from ml_service.tasks import lung_field
from ml_service.tasks.decode import grey_plane
from ml_service.training.datasets import read_rows
from ml_service.training.foreign import noise
from ml_service.training.masks.pairs import Pair

TOLERANCE = 0.01  # of the film's area


def make(
    network: Network,
    refusal: Refusal,
    manifest: Manifest,
    folder: Path,
    images: Path,
    adult: Pair,
    others: Path,
    sources: str,
) -> Golden:
    """Writes noise, a validation film with a mask and a child's, and notes what is said of them."""
    folder.mkdir()
    (folder / "adult.png").write_bytes((images / f"{adult.name}.png").read_bytes())
    rows = sorted((row for row in read_rows(others) if row.split == "val"), key=lambda row: row.path)
    child = next(row for row in rows if row.label == "NORMAL")
    (folder / "child.jpg").write_bytes((others / child.path).read_bytes())
    (folder / "noise.png").write_bytes(cv2.imencode(".png", noise()[0])[1].tobytes())
    (folder / "ATTRIBUTION.md").write_text(sources, encoding="utf-8")
    paths = sorted(folder.glob("*.[jp][pn]g"))
    return Golden(tolerance=TOLERANCE, cases=tuple(_case(network, refusal, manifest, path) for path in paths))


def sources(data: Path, shown: Sequence[Pair]) -> str:
    """Returns a line for each film that is shown: its own source and licence."""
    with (data / "labels.csv").open(encoding="utf-8") as lines:
        rows = {Path(row["image"]).stem: row for row in csv.DictReader(lines)}
    told = [rows[name] for name in dict.fromkeys(pair.name for pair in shown)]
    return "\n" + "".join(f"- film {Path(row['image']).stem}: {row['url']}, {row['licence']}\n" for row in told)


def _case(network: Network, refusal: Refusal, manifest: Manifest, path: Path) -> GoldenCase:
    plane = grey_plane(path.read_bytes())
    pixels = lung_field.prepare(plane, manifest.side)[np.newaxis]
    out = network(pixels)
    score = float(refusal.score(out.features, pixels)[0])
    verdict = lung_field.interpret(out.logits[0], score, plane, manifest)
    rows = measured_image(lung_field.outline(out.heat[0], plane.shape), manifest.labels)
    return GoldenCase(
        file=path.name,
        label=verdict.label,
        probability=None,
        ood_score=score,
        logits=tuple(round(float(logit), 4) for logit in out.logits[0]),
        shares=tuple(row["share"] for row in rows) if verdict.in_distribution else None,
    )
