"""A person's correction of a mask: some of its structures as another mask of the same study has them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app_service.intake.pixels import encode_png
from app_service.masks.own_volume import OwnVolume, Packed
from app_service.masks.reach import Reach
from portal_wire.contract import Measurement

CORRECTED = "mask_corrected"


class Corrected(NamedTuple):
    """The new mask's file; how many values each number has, (256,), and the sum of the study's values there; how far
    each that occurs reaches. `affine` is a volume's."""

    mask: bytes
    counts: NDArray[np.int64]
    sums: NDArray[np.float64] | None
    reaches: Mapping[int, Reach]
    affine: NDArray[np.float64] | None = None


def corrected_name(artifacts: Iterable[str]) -> tuple[str, str]:
    """Name and media type of the corrected mask beside a job's other files."""
    flat = "mask.png" in artifacts
    return (f"{CORRECTED}.png", "image/png") if flat else (f"{CORRECTED}.nii.gz", "application/gzip")


def corrected_folder(job_id: str, attempt: int, at: datetime) -> str:
    """Where `mask`, the corrected one, lies: each in a folder of its own, so that none is ever half of another."""
    return f"jobs/{job_id}/{attempt}/corrected/{at:%Y%m%d%H%M%S%f}"


def corrected_picture(own: bytes, other: bytes) -> Corrected:
    """Both are label maps as PNG, of one size."""
    mine, theirs = (np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), 0), np.uint8) for data in (own, other))
    made = _merged(mine, theirs, np.unique(theirs))
    reaches: defaultdict[int, Reach] = defaultdict(lambda: Reach(made.shape[::-1]))
    counts = _counted(made.ravel(), 0, reaches)
    return Corrected(encode_png(made), counts, None, reaches)


def corrected_volume(own: BinaryIO, other: BinaryIO, indices: Sequence[int], study: BinaryIO | None) -> Corrected:
    """Label maps as the portal wrote them, the numbers that `other` has, and the study where its values count (CT)."""
    first, second = OwnVolume(own), OwnVolume(other)
    packed, counts, sums = Packed(first.head), np.zeros(256, np.int64), np.zeros(256)
    reaches: defaultdict[int, Reach] = defaultdict(lambda: Reach(first.sides))
    came = 0
    values = OwnVolume(study).pieces() if study else None
    for mine, theirs in zip(first.pieces(), second.pieces(), strict=True):
        made = _merged(mine, theirs, np.array(indices))
        counts += _counted(made, came, reaches)
        came += made.size
        if values is not None:
            sums += np.bincount(made, weights=next(values), minlength=256)
        packed.add(made.tobytes())
    return Corrected(packed.done(), counts, sums if study else None, reaches, first.affine)


def _counted(made: NDArray[np.uint8], at: int, reaches: defaultdict[int, Reach]) -> NDArray[np.int64]:
    """How many values of whole rows have each number, which are noted in `reaches` too."""
    counts = np.bincount(made, minlength=256)
    for index in np.flatnonzero(counts[1:]) + 1:
        reaches[int(index)].note(made == index, at)
    return counts


def _merged(own: NDArray[np.uint8], other: NDArray[np.uint8], indices: NDArray[np.integer]) -> NDArray[np.uint8]:
    """`other` where it shows something; what `own` has of the same structures elsewhere is gone."""
    kept = np.arange(256, dtype=np.uint8)
    kept[indices] = 0
    return np.where(other > 0, other, kept[own])


def measured(
    made: Corrected, labels: Mapping[int, str], kind: str, spacing_mm: Sequence[float] | None
) -> list[Measurement]:
    """The size of each structure. `spacing_mm` is along rows and columns, and slices of a volume; None: not known."""
    total, found = int(made.counts.sum()), []
    size = float(np.prod(spacing_mm)) if spacing_mm else None
    for index, label in sorted(labels.items()):
        count = int(made.counts[index])
        mean_hu = round(float(made.sums[index]) / count, 1) if made.sums is not None and count else None
        if kind == "volume":
            volume_ml = round(count * size / 1000, 2) if size else None
            sizes: dict[str, Any] = {"voxels": count, "volume_ml": volume_ml, "mean_hu": mean_hu}
        else:
            sizes = {"pixels": count, "area_mm2": round(count * size, 1) if size else None}
        if reach := made.reaches.get(index):
            sizes["extent_mm"] = reach.image_mm(spacing_mm) if made.affine is None else reach.volume_mm(made.affine)
        found.append(
            Measurement.model_validate({"label": label, "index": index, "share": round(count / total, 6)} | sizes)
        )
    return found
