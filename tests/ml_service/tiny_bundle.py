"""A MONAI bundle of a small SegResNet with weights from a seed, imported as a version; and volumes for it."""

import gzip
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from ml_service.importers import monai_bundle, monai_networks
from ml_service.importers.checkpoint import Array
from ml_service.importers.volume_model import Imported, save
from ml_service.manifest import Volumetric

SIDES = (16, 24, 16)  # of a window
WIDTH, DOWN, UP = 8, (1, 1), (1,)
METADATA: dict[str, Any] = {
    "network_data_format": {
        "inputs": {"image": {"modality": "CT"}},
        "outputs": {"pred": {"channel_def": {"0": "background", "1": "spleen", "2": "liver"}}},
    }
}
CONFIG: dict[str, Any] = {
    "network_def": {
        "_target_": "SegResNet",
        "in_channels": 1,
        "out_channels": 3,
        "init_filters": WIDTH,
        "blocks_down": [*DOWN],
        "blocks_up": [*UP],
    },
    "preprocessing": {
        "transforms": [
            {"_target_": "Orientationd", "axcodes": "RAS"},
            {"_target_": "Spacingd", "pixdim": [2.0, 1.5, 2.5]},
            {"_target_": "ScaleIntensityRanged", "a_min": -175, "a_max": 250, "b_min": 0, "b_max": 1, "clip": True},
        ]
    },
    "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [*SIDES], "overlap": 0.75},
    "postprocessing": {"transforms": [{"_target_": "Activationsd", "softmax": True}]},
}


def tensors(seed: int = 1) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    return {
        rule.source: np.asarray(rng.normal(0, 0.4, rule.shape) + rule.source.endswith("norm1.weight"), np.float32)
        for rule in monai_networks.segresnet(3, 1, WIDTH, DOWN, UP)
    }


def bundle() -> Imported:
    return monai_bundle.imported(METADATA, CONFIG, tensors())


def tiny_version(models: Path, name: str = "organs") -> Volumetric:
    """Imports the bundle as NAME/1 of a model directory."""
    return save(bundle(), "Tiny organs", models / name / "1")


def scan(shape: tuple[int, int, int] = (34, 40, 22), seed: int = 3) -> "nibabel.Nifti1Image":
    """A CT with air around, oblique, anisotropic, slices that are not square; its axes lead to P, L and S."""
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, side) for side in shape), indexing="ij")
    values = np.full(shape, -1000.0)
    values[x**2 + y**2 + z**2 < 1] = 40
    values[(x - 0.4) ** 2 + (y - 0.3) ** 2 + z**2 < 0.1] = 200
    values[(x + 0.4) ** 2 + y**2 + (z - 0.2) ** 2 < 0.1] = -90
    values += np.random.default_rng(seed).normal(0, 15, shape)
    angle = np.deg2rad(12)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.array([[0.0, -1, 0], [-1, 0, 0], [0, 0, 1]]) @ np.diag([1.7, 1.2, 3.1])
    affine[:3, 3] = (31.5, -12.25, 400)
    return nibabel.Nifti1Image(np.rint(values).astype(np.int16), affine)


def packed(image: "nibabel.Nifti1Image") -> bytes:
    return gzip.compress(image.to_bytes(), 1)


def unpacked(mask: bytes) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A label map, (columns, rows, slices), and its affine."""
    image: Any = nibabel.Nifti1Image.from_bytes(gzip.decompress(mask))
    return np.asarray(image.dataobj), image.affine
