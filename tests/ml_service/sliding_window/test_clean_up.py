"""SuPreM's rules on drawn pieces whose right answer is plain."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_service.sliding_window.clean_up import clean
from ml_service.sliding_window.labels import joined, plane, put

SHAPE = (40, 30, 20)
Where = tuple[slice, slice, slice]


def cube(x: int, y: int, z: int, side: int) -> Where:
    return slice(x, x + side), slice(y, y + side), slice(z, z + side)


def drawn(**where: list[Where]) -> tuple[NDArray[np.uint32], tuple[str, ...]]:
    bits = np.zeros(SHAPE, np.uint32)
    for number, places in enumerate(where.values()):
        mask = np.zeros(SHAPE, bool)
        for place in places:
            mask[place] = True
        put(bits, number, mask)
    return bits, tuple(where)


def counts(bits: NDArray[np.uint32], names: tuple[str, ...]) -> dict[str, int]:
    return {name: int(plane(bits, number).sum()) for number, name in enumerate(names)}


def test_an_organ_is_its_largest_piece_and_corners_join() -> None:
    bits, names = drawn(spleen=[cube(2, 2, 2, 4), cube(6, 6, 6, 3), cube(20, 20, 2, 5)], aorta=[])
    clean(bits, names, "RAS")
    assert counts(bits, names) == {"spleen": 125, "aorta": 0}
    bits, names = drawn(spleen=[cube(2, 2, 2, 4), cube(6, 6, 6, 4), cube(20, 20, 2, 5)])
    clean(bits, names, "RAS")
    assert counts(bits, names) == {"spleen": 128}  # two cubes that share a corner


@pytest.mark.parametrize("axes", ["RAS", "LPS", "RPI", "LAS"])
def test_left_and_right_lungs_are_told_by_where_they_lie(axes: str) -> None:
    """Trap: the network mixes them up. The first axis leads to the right (R) or to the left (L)."""
    low, high = cube(3, 5, 4, 8), cube(25, 5, 4, 9)
    bits, names = drawn(lung_right=[low, cube(25, 5, 4, 4)], lung_left=[high])
    clean(bits, names, axes)
    right, left = (plane(bits, number) for number in (0, 1))
    assert right[high if axes[0] == "R" else low].all() and left[low if axes[0] == "R" else high].all()
    assert right.sum() + left.sum() == 8**3 + 9**3


def test_lungs_that_hang_together_are_parted_and_their_holes_filled() -> None:
    bits, names = drawn(lung_right=[cube(2, 5, 4, 12), (slice(14, 20), slice(8, 10), slice(8, 10))], lung_left=[])
    put(bits, 1, np.zeros(SHAPE, bool))
    mask = plane(bits, 0)
    mask[cube(20, 5, 4, 12)] = True
    mask[25, 10, 10] = False
    put(bits, 0, mask)
    clean(bits, names, "RAS")
    right, left = (plane(bits, number) for number in (0, 1))
    assert right[cube(20, 5, 4, 12)].all() and left[cube(2, 5, 4, 12)].all() and not (right & left).any()


def test_one_lung_alone_stays_what_the_network_called_it() -> None:
    bits, names = drawn(lung_right=[], lung_left=[cube(25, 5, 4, 9), cube(2, 2, 2, 1)])
    clean(bits, names, "RAS")
    assert counts(bits, names) == {"lung_right": 0, "lung_left": 9**3}


def test_lesions_have_a_least_size_and_those_of_the_kidney_lie_in_or_near_it() -> None:
    kidney, near, away = cube(4, 4, 4, 8), cube(11, 4, 4, 7), cube(30, 20, 10, 6)
    bits, names = drawn(
        kidney_left=[kidney],
        kidney_tumor=[near, away],
        kidney_cyst=[away, cube(2, 25, 2, 2)],
        pancreas_tumor=[cube(20, 2, 2, 5), cube(20, 12, 2, 6)],
    )
    clean(bits, names, "RAS")
    assert counts(bits, names) == {
        "kidney_left": 8**3,
        "kidney_tumor": 3 * 7 * 7,  # its first layer lies in the kidney, two more within two voxels of it
        "kidney_cyst": 6**3,
        "pancreas_tumor": 6**3,
    }


def test_where_structures_overlap_the_later_one_is_kept() -> None:
    bits, names = drawn(liver=[cube(0, 0, 0, 9)], hepatic_vessel=[cube(2, 2, 2, 3)], liver_tumor=[cube(4, 4, 4, 3)])
    found = joined(bits, len(names))
    assert (found[1, 1, 1], found[3, 3, 3], found[4, 4, 4], found[20, 20, 10]) == (1, 2, 3, 0)
