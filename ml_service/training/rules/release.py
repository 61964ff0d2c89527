"""`python -m ml_service.training.rules.release --ct DIR`: makes a version of the CT tissue model.

Measures the rules beside the masks in DIR and writes the folder ml_service/models/ct-tissue/<version>/ with model.json,
metrics.json, card, plot and a drawn volume that every load is checked with.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ml_service import manifest as manifests
from ml_service.manifest import Golden, GoldenCase, Rules
from ml_service.settings import SHIPPED
from ml_service.tasks import ct_tissue
from ml_service.training.rules import card, measure, phantom
from ml_service.training.seal import seal
from ml_service.volume import read
from portal_wire.contract import SEGMENTED

TASK = "ct-tissue"
TOLERANCE = 1e-5  # of the volume: whole numbers decide, so nothing but rounding is between processors
# Okabe and Ito's colours, BGR, by the number in the mask: distinct for people who see no red or no green.
COLOURS = np.array(
    [(18, 23, 28), (255, 255, 255), (233, 180, 86), (66, 228, 240), (0, 94, 213), (167, 121, 204)], np.uint8
)
SHOWN = "ts_example_ct"  # its licence lets it be shown
SCALE = 3


def main() -> None:
    """Reads the command line and makes the version."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ct", required=True, type=Path, help="folder with the CTs and masks that measure.py names")
    parser.add_argument("--version", default="1")
    parser.add_argument("--models", type=Path, default=SHIPPED)
    given = parser.parse_args()
    folder = given.models / TASK / given.version
    metrics = measure.measure(given.ct)
    folder.mkdir(parents=True)
    (folder / manifests.PLOTS).mkdir()
    draw(folder / manifests.PLOTS / "slices.png", (given.ct / f"{SHOWN}.nii.gz").read_bytes())
    release(folder, metrics)


def release(folder: Path, metrics: dict[str, Any]) -> Rules:
    """Writes the rest of the version's folder and returns its manifest."""
    golden = folder / manifests.GOLDEN
    golden.mkdir()
    drawn = phantom.packed(phantom.drawn())
    (golden / "phantom.nii").write_bytes(drawn)
    manifest = Rules(
        name=folder.parent.name,
        version=folder.name,
        title=card.TITLE,
        subject=card.SUBJECT,
        task=TASK,
        kind="volume",
        modalities=("CT",),
        labels=ct_tissue.LABELS,
        negative_label=ct_tissue.NEGATIVE_LABEL,
        limits=tuple(card.LIMITS.splitlines()),
        golden=Golden(tolerance=TOLERANCE, cases=(_case(drawn),)),
        files={},
    )
    (folder / manifests.METRICS).write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    (folder / manifests.CARD).write_text(card.write(manifest, metrics), encoding="utf-8")
    return seal(folder, manifest)


def draw(path: Path, study: bytes) -> None:
    """Writes three slices of a CT, and under each its tissues; seen from the feet, as is usual."""
    volume = read(study)
    columns = -1 if volume.header.get_best_affine()[0, 0] > 0 else 1  # the patient's right on the picture's left
    labels = measure.labelled(volume)
    rows: list[list[Any]] = [[], []]
    for share in (0.25, 0.6, 0.95):
        at, axis = int(share * labels.shape[volume.long_axis]), volume.long_axis
        grey = np.clip((volume.levels(at, axis) + 200) / 500 * 255, 0, 255).astype(np.uint8)
        for row, plane in zip(
            rows, (np.repeat(grey[..., None], 3, axis=-1), COLOURS[labels.take(at, axis)]), strict=True
        ):
            row.append(cv2.resize(plane[::-1, ::columns], None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_NEAREST))
    picture = np.vstack([np.hstack(row) for row in rows])
    path.write_bytes(cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes())


def _case(drawn: bytes) -> GoldenCase:
    found = measure.labelled(read(drawn))
    counts = np.bincount(found.ravel(), minlength=len(ct_tissue.LABELS) + 1)[1:]
    shares = tuple(round(int(count) / found.size, 6) for count in counts)
    return GoldenCase(file="phantom.nii", label=SEGMENTED, probability=None, ood_score=0.0, shares=shares)


if __name__ == "__main__":
    main()
