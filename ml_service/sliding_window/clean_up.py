"""What SuPreM does with its networks' masks before it keeps them: pieces that cannot be right are dropped.

By the rules of its inference script (https://github.com/MrGiovanni/SuPreM, direct_inference/utils.py): an organ is its
largest piece; the lungs are the two largest pieces of both together, told apart by where they lie; of lesions the
largest pieces are kept, none below a size, and those of kidneys and liver only in or near their organ. Voxels are those
of the network's grid, 1.5 mm there. Upstream also looks through single slices for the place where the lungs hang
together; here erosion alone parts them.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ml_service.sliding_window.labels import Bits, Mask, plane, put

CORNERS = np.ones((3, 3, 3), bool)  # 26 neighbours
LESIONS = {  # pieces at most, and voxels of one at least
    "kidney_tumor": (5, 80),
    "liver_tumor": (20, 20),
    "pancreas_tumor": (1, 100),
    "hepatic_vessel_tumor": (10, 80),
    "lung_tumor": (10, 30),
    "colon_tumor": (3, 100),
    "kidney_cyst": (20, 20),
}
HOSTS = {"kidney_tumor": ("kidney_left", "kidney_right"), "liver_tumor": ("liver",)}
NEAR = 5  # voxels of the cube by which a host is closed and widened
LUNGS = ("lung_right", "lung_left")
UNEQUAL = 4  # times as large as the other lung: they hang together, or one of them is no lung
MOST_EROSIONS = 10
Box = tuple[slice, slice, slice]


def clean(bits: Bits, names: tuple[str, ...], axes: str) -> None:
    """Cleans a bit for each label up, in place. `names` are the bits' in order, `axes` as in the plan."""
    for number, name in enumerate(names):
        if name not in LESIONS and not (name in LUNGS and set(LUNGS) <= set(names)):
            _keep(bits, number, 1, 1)
    if set(LUNGS) <= set(names):
        _part_lungs(bits, (names.index(LUNGS[0]), names.index(LUNGS[1])), axes)
    for number, name in enumerate(names):
        if name in LESIONS:
            hosts = [names.index(host) for host in HOSTS.get(name, ()) if host in names]
            if hosts:
                put(bits, number, plane(bits, number) & _near(bits, hosts))
            _keep(bits, number, *LESIONS[name])


def largest(mask: Mask, most: int, least: int = 1) -> list[Mask]:
    """Returns the `most` largest pieces that have `least` voxels, the largest first."""
    pieces, count = ndimage.label(mask, CORNERS)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    order = np.argsort(-sizes, kind="stable")[:most]
    return [pieces == number + 1 for number in order if sizes[number] >= least]


def _keep(bits: Bits, number: int, most: int, least: int) -> None:
    mask = plane(bits, number)
    if (box := box_of(mask)) is not None:
        kept = np.zeros_like(mask)
        for piece in largest(mask[box], most, least):
            kept[box] |= piece
        put(bits, number, kept)


def _near(bits: Bits, hosts: list[int]) -> Mask:
    host = np.zeros(bits.shape, np.uint8)
    for number in hosts:
        host |= plane(bits, number)
    grown = ndimage.maximum_filter(host, NEAR, mode="constant")
    closed = ndimage.minimum_filter(grown, NEAR, mode="nearest")
    near: Mask = ndimage.maximum_filter(closed | host, NEAR, mode="constant").astype(bool)
    return near


def _part_lungs(bits: Bits, numbers: tuple[int, int], axes: str) -> None:
    both = plane(bits, numbers[0]) | plane(bits, numbers[1])
    if (box := box_of(both)) is None:
        return
    pair = _pair(both[box])
    if pair is None:  # one lung alone, or two that no erosion parts: as the network told them
        for number in numbers:
            _keep(bits, number, 1, 1)
        return
    axis = next(number for number, letter in enumerate(axes) if letter in "RL")
    pair.sort(key=lambda lung: float(np.nonzero(lung)[axis].mean()), reverse=axes[axis] == "R")  # the right one first
    for number, lung in zip(numbers, pair, strict=True):
        found = np.zeros_like(both)
        found[box] = ndimage.binary_fill_holes(lung)
        put(bits, number, found)


def _pair(both: Mask) -> list[Mask] | None:
    """Returns both lungs, in any order; None where there are no two."""
    core = both
    for _ in range(MOST_EROSIONS + 1):
        pieces = largest(core, 2)
        if len(pieces) == 2 and pieces[0].sum() <= UNEQUAL * pieces[1].sum():
            if core is both:
                return pieces
            cores = pieces[0] + 2 * pieces[1].astype(np.uint8)
            at = ndimage.distance_transform_edt(cores == 0, return_distances=False, return_indices=True)
            nearest = cores[tuple(at)]  # what erosion took goes to the core that it lies nearest to
            return [both & (nearest == 1), both & (nearest == 2)]
        core = ndimage.binary_erosion(core)
    return None


def box_of(mask: NDArray[np.bool_]) -> Box | None:
    """Returns the smallest box that holds the mask; None for an empty one."""
    found = []
    for axis in range(3):
        at = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        if not len(at):
            return None
        found.append(slice(int(at[0]), int(at[-1]) + 1))
    return found[0], found[1], found[2]
