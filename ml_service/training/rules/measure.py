"""How the rules agree with other people's masks, on the CTs that there are. Most of those masks are themselves a
network's, so agreement is no proof; where a rule goes wrong they show it all the same."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from ml_service.label_maps import LabelMap
from ml_service.tasks import ct_tissue
from ml_service.training.rules import phantom
from ml_service.volume import Volume, read

# Numbers of TotalSegmentator 2 (https://github.com/wasserth/TotalSegmentator#class-details) and what they should be.
ORGANS = {
    "lungs": ("lung", range(10, 15)),
    "liver, spleen, kidneys": ("soft_tissue", (1, 2, 3, 5)),
    "muscles of the back": ("soft_tissue", (86, 87)),
    "vertebrae and ribs": ("bone", (*range(25, 51), *range(92, 116))),
}
Sets = Mapping[str, tuple[str, Sequence[int]]]
SETS: dict[str, tuple[str, str, Sets]] = {
    "trunk, 3 mm (30 slices)": ("ts_example_ct_sm", "ts_example_ct_sm_seg", ORGANS),
    "trunk, 3 mm": ("ts_example_ct", "ts_example_ct_vertebrae_seg", {"vertebrae": ("bone", range(1, 200))}),
    "chest with contrast agent, 1.5 mm": (
        "ts_aorta_ct",
        "ts_aorta_ct_aorta_seg",
        {"aorta, full of contrast agent": ("soft_tissue", (1,))},
    ),
    "belly, 3 slices, masks by hand": (
        "dcmqi_liver_3slice_ct",
        "dcmqi_liver_3slice_seg_1liver_2spine_3heart",
        {"liver": ("soft_tissue", (1,)), "spine": ("bone", (2,)), "heart": ("soft_tissue", (3,))},
    ),
}


def measure(data: Path) -> dict[str, Any]:
    """Returns, by CT and structure, the share of its voxels that is counted as what it should be, and of the phantom
    the Dice coefficient of every tissue."""
    return {
        "phantom_dice": of_phantom(),
        "counted_as_expected": {name: _agreement(data, *one) for name, one in SETS.items()},
    }


def of_phantom() -> dict[str, float]:
    """Returns each tissue's Dice coefficient on the drawn body."""
    drawn = phantom.drawn()
    found = labelled(read(phantom.packed(drawn))).transpose(2, 1, 0)
    return {
        label: round(
            2 * int(((found == n) & (drawn.truth == n)).sum()) / int((found == n).sum() + (drawn.truth == n).sum()), 4
        )
        for n, label in enumerate(ct_tissue.LABELS, start=1)
    }


def labelled(volume: Volume) -> LabelMap:
    """Returns the label map of a volume, as its values lie."""
    return ct_tissue.segmented(volume, lambda: None)[0]


def _agreement(data: Path, ct: str, masks: str, wanted: Sets) -> dict[str, Any]:
    found = labelled(read((data / f"{ct}.nii.gz").read_bytes()))
    image: Any = nibabel.load(data / f"{masks}.nii.gz")
    truth: NDArray[np.int64] = np.asarray(image.dataobj).astype(np.int64).transpose(2, 1, 0)
    rows = {}
    for name, (label, numbers) in wanted.items():
        inside = found[np.isin(truth, list(numbers))]
        shares = {each: round(float((inside == n).mean()), 3) for n, each in enumerate(ct_tissue.LABELS, start=1)}
        rows[name] = {"voxels": int(inside.size), "expected": label, "share_expected": shares[label], "shares": shares}
    return rows
