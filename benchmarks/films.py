"""Films for the benchmarks: real X-rays at the size that a doctor would upload."""

from pathlib import Path

import cv2
import numpy as np
from cv2.typing import MatLike

SAMPLES = Path(__file__).parents[1] / "ui_service" / "static" / "samples"
WIDTH, HEIGHT = 1500, 1200


def films(count: int = 12, kind: str = ".jpg", width: int = WIDTH) -> list[bytes]:
    """`count` different JPEGs, or of another `kind`, of WIDTH x HEIGHT, or as much wider and higher: the sample films,
    enlarged, each turned and exposed a little else."""
    encoded = [np.frombuffer(path.read_bytes(), np.uint8) for path in sorted(SAMPLES.glob("*.jpg"))]
    originals = [film for each in encoded if (film := cv2.imdecode(each, cv2.IMREAD_GRAYSCALE)) is not None]
    return [_variant(originals[number % len(originals)], number, kind, width) for number in range(count)]


def _variant(film: MatLike, number: int, kind: str, width: int) -> bytes:
    height = width * HEIGHT // WIDTH
    large = cv2.resize(film, (width, height), interpolation=cv2.INTER_CUBIC)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), (number - 6) / 3, 1.0)
    turned = cv2.warpAffine(large, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    exposed = cv2.convertScaleAbs(turned, alpha=0.95 + number / 120)
    # Enlarging makes a film smoother than a detector's, and a JPEG of it smaller: grain brings both back.
    grain = np.random.default_rng(number).normal(0, 3, exposed.shape)
    grained = np.clip(exposed + grain, 0, 255).astype(np.uint8)
    return cv2.imencode(kind, grained, [cv2.IMWRITE_JPEG_QUALITY, 90] if kind == ".jpg" else [])[1].tobytes()
