"""Images that a model must not answer about: noise, good films stored wrongly, and folders of other pictures."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_service.tasks.decode import Grey, grey_plane

IMAGES = (".jpg", ".jpeg", ".png", ".tif", ".gif")
NOISE_IMAGES = 60


def read_others(place: Path, most: int = 300) -> list[NDArray[np.uint8]]:
    """Returns up to `most` images of a folder (or of those in it that match a pattern: folder/*.jpg), spread evenly
    over its sorted files; or, of an .npz in the box format of MedSAM, the slices of its `imgs`: (D, H, W), or
    (H, W, 3) for one picture."""
    if place.suffix == ".npz":
        with np.load(place, allow_pickle=False) as arrays:
            images = arrays["imgs"].astype(np.uint8)
        slices = [images] if images.ndim == 3 and images.shape[2] == 3 else list(images)
        return [grey_plane(np.ascontiguousarray(one)) for one in slices[:: max(1, len(slices) // most)][:most]]
    found = place.parent.glob(place.name) if "*" in place.name else place.rglob("*")
    files = sorted(path for path in found if path.suffix.lower() in IMAGES)
    if not files:
        raise ValueError(f"Expected images ({', '.join(IMAGES)}) in the folder {place.name!r}. Received: none")
    step = max(1, len(files) // most)
    return [grey_plane(path.read_bytes()) for path in files[::step][:most]]


def noise(seed: int = 3000) -> list[NDArray[np.uint8]]:
    """Returns random images: fine, blocky and smooth noise."""
    rng = np.random.default_rng(seed)
    images = []
    for index in range(NOISE_IMAGES):
        grain = (1, 4, 16)[index % 3]
        cells = rng.integers(0, 256, (224 // grain, 224 // grain), dtype=np.uint8)
        images.append(np.kron(cells, np.ones((grain, grain), np.uint8)))
    return images


def turned(planes: Iterable[Grey]) -> dict[str, list[Grey]]:
    """Returns images lying on their side, upside down, and as negatives: none of them should be answered."""
    films = list(planes)
    return {
        "quarter turn": [np.ascontiguousarray(np.rot90(film)) for film in films],
        "upside down": [np.ascontiguousarray(film[::-1]) for film in films],
        "inverted": [(255 - film).astype(np.uint8) for film in films],
    }
