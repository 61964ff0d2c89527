"""Every mask set as slices with numbered structures, split by patient; some structures are kept for the test alone."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import nibabel
import numpy as np
from numpy.typing import NDArray

from ml_service.prompts.compact import Plane
from ml_service.tasks.decode import grey_plane
from ml_service.training.datasets import read_rows
from ml_service.training.masks import pairs

Labels = NDArray[np.uint8]  # (height, width)
# Never learnt from, in no patient: what the network says of them it says of something it never saw.
KEPT = ("liver", "vertebrae", "spine", "heart", "aorta", "tumour")
# Numbers of TotalSegmentator's tasks `total` and `total_mr` (https://github.com/wasserth/TotalSegmentator) that differ
# from "structure <number>" in what they are called here.
CT_NAMES = {5: "liver", 52: "aorta"} | dict.fromkeys(range(26, 51), "vertebrae")
MR_NAMES = {5: "liver", 19: "vertebrae", 22: "heart", 23: "aorta"}
TEST_EYES, VAL_EYES = ("09", "10", "11"), ("08",)
WITHOUT = 300  # images without masks out of each set of such


class Slice(NamedTuple):
    """One plane of grey levels, and the structures on it by number; None: nobody drew any."""

    set: str
    patient: str
    split: str
    plane: Plane
    labels: Labels | None
    names: dict[int, str]


class Scan(NamedTuple):
    """A volume with masks: files in the folder `ct` or `brain_mr3d`, and what the numbers mean."""

    image: str
    mask: str
    patient: str
    split: str
    names: dict[int, str]


SCANS = (
    Scan("ct/ts_example_ct_sm", "ct/ts_example_ct_sm_seg", "trunk CT", "train", CT_NAMES),
    Scan("ct/ts_example_mr_sm", "ct/ts_example_mr_sm_seg", "belly MR", "val", MR_NAMES),
    Scan("ct/ts_aorta_ct", "ct/ts_aorta_ct_aorta_seg", "chest CT", "test", {1: "aorta"}),
    Scan(
        "ct/dcmqi_liver_3slice_ct",
        "ct/dcmqi_liver_3slice_seg_1liver_2spine_3heart",
        "belly CT",
        "test",
        {1: "liver", 2: "spine", 3: "heart"},
    ),
    Scan("brain_mr3d/brain1_t1ce_image", "brain_mr3d/brain1_t1ce_label", "head MR", "test", {1: "tumour"}),
)


def read(data: Path, splits: tuple[str, ...]) -> list[Slice]:
    """Returns the slices of some splits; the files of the others are not opened, but for films and eyes."""
    found = [*films(data / "cxr_lung_masks"), *eyes(data / "retina_vessels")]
    found += [one for scan in SCANS if scan.split in splits for one in sliced(data, scan)]
    if "train" in splits:
        found += without_masks(data)
    if any(one.labels is not None and one.labels.shape != one.plane.shape for one in found):
        raise ValueError("Expected masks of the size of their images.")
    return [one for one in found if one.split in splits]


def films(data: Path) -> Iterator[Slice]:
    """Yields chest films, split as for the lung-field model."""
    for pair in pairs.read(data):
        labels = (pair.masks * np.array([1, 2], np.uint8)).max(axis=-1).astype(np.uint8)
        names = {1: "right lung", 2: "left lung"}
        yield Slice("chest films", pair.patient, pair.split, pair.plane.astype(np.float32), labels, names)


def eyes(data: Path) -> Iterator[Slice]:
    """Yields photographs of the retina with its vessels, as the first observer drew them."""
    for path in sorted(data.glob("Image_*.jpg")):
        person = path.stem[6:8]
        split = "test" if person in TEST_EYES else "val" if person in VAL_EYES else "train"
        # As an array: a large JPEG would come smaller than its mask.
        plane = grey_plane(np.asarray(cv2.imread(str(path)))[..., ::-1]).astype(np.float32)
        drawn = grey_plane(path.with_name(f"{path.stem}_1stHO.png").read_bytes()) > 0
        yield Slice("retinas", f"eyes {person}", split, plane, drawn.astype(np.uint8), {1: "vessels"})


def volume(data: Path, scan: Scan) -> tuple[NDArray[np.float32], Labels]:
    """Returns a scan's levels and its numbers, both as (x, y, z)."""
    image, mask = (nibabel.load(data / f"{name}.nii.gz") for name in (scan.image, scan.mask))
    levels: Any = image
    numbers: Any = mask
    return levels.get_fdata(dtype=np.float32), np.asarray(numbers.dataobj).astype(np.uint8)


def sliced(data: Path, scan: Scan) -> Iterator[Slice]:
    """Yields a scan's slices with a structure on them; of a training scan across all three axes."""
    levels, numbers = volume(data, scan)
    kept = [number for number, name in scan.names.items() if name in KEPT]
    if scan.split == "train":
        numbers = np.where(np.isin(numbers, kept), 0, numbers).astype(np.uint8)
    names = {int(n): scan.names.get(int(n), f"structure {n}") for n in np.unique(numbers) if n}
    for axis in (2, 1, 0) if scan.split == "train" else (2,):
        for at in range(levels.shape[axis]):
            plane, labels = levels.take(at, axis).T, numbers.take(at, axis).T  # rows are y
            if labels.any() and min(plane.shape) >= 24:
                yield Slice(scan.patient, scan.patient, scan.split, _own(plane), _own(labels), names)


def without_masks(data: Path) -> Iterator[Slice]:
    """Yields training images that nobody drew on: pieces of like levels in them are learnt from."""
    image: Any = nibabel.load(data / "ct/ts_example_ct.nii.gz")
    levels = image.get_fdata(dtype=np.float32)
    for axis in (2, 1, 0):
        for at in range(10, levels.shape[axis] - 10, 3):
            yield Slice("trunk CT", "trunk CT", "train", _own(levels.take(at, axis).T), None, {})
    for name in ("cxr_pneumonia", "brain_tumour"):
        rows = [row for row in read_rows(data / name) if row.split == "train"]
        rows.sort(key=lambda row: hashlib.sha256(row.path.encode()).hexdigest())
        for row in rows[:WITHOUT]:
            plane = grey_plane((data / name / row.path).read_bytes()).astype(np.float32)
            yield Slice(name, row.patient_key, "train", plane, None, {})


def _own(plane: Any) -> Any:
    return np.ascontiguousarray(plane)
