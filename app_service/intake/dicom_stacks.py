"""Which slices make one volume: the same series, size, spacing and direction, each position once."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from app_service.intake.dicom_slices import Slice
from portal_wire.errors import Unprocessable

# By these, positions that come more than once are told apart: phases, echoes, magnitude and phase.
DIVIDING = ("AcquisitionNumber", "EchoNumbers", "TemporalPositionIdentifier", "ImageType")
SAME_PLACE_MM = 0.01


@dataclass(frozen=True)
class Stack:
    """Slices from the first to the last along their normal; `notes` are codes of `notices.py`."""

    slices: list[Slice]
    notes: tuple[str, ...] = ()


def stacks_of(slices: Iterable[Slice]) -> tuple[list[Stack], list[Slice]]:
    """The stacks of one series, and the slices that belong to none: alone, or without a place in the patient.

    Raises Unprocessable `duplicate_positions` when several slices lie in one place and nothing tells them apart.
    """
    groups: dict[object, list[Slice]] = {}
    single = []
    for each in slices:
        if each.place is None or each.axes is None or each.spacing is None:
            single.append(each)
        else:
            key = (each.size, tuple(np.round(each.axes, 2).ravel()), tuple(round(step, 3) for step in each.spacing))
            groups.setdefault(key, []).append(each)
    single += [group[0] for group in groups.values() if len(group) == 1]
    stacks = [stack for group in groups.values() if len(group) > 1 for stack in _each_place_once(group)]
    if len(stacks) > 1:
        stacks = [Stack(stack.slices, (*stack.notes, "series_divided")) for stack in stacks]
    return stacks, single


def depth_mm(each: Slice) -> float:
    """How far along the normal of its plane a slice lies."""
    assert each.axes is not None and each.place is not None
    return float(np.cross(each.axes[0], each.axes[1]) @ each.place)


def _each_place_once(group: list[Slice]) -> list[Stack]:
    if _unique(group):
        return [Stack(sorted(group, key=depth_mm))]
    by_object = {(str(each.meaning.get("SOPInstanceUID", id(each))), each.index): each for each in group}
    if len(by_object) < len(group) and _unique(list(by_object.values())) and len(by_object) > 1:
        return [Stack(sorted(by_object.values(), key=depth_mm), ("duplicates_dropped",))]
    for name in DIVIDING:
        parts: dict[str, list[Slice]] = {}
        for each in group:
            parts.setdefault(str(each.meaning.get(name)), []).append(each)
        if len(parts) > 1 and all(len(part) > 1 and _unique(part) for part in parts.values()):
            return [Stack(sorted(part, key=depth_mm)) for part in parts.values()]
    raise Unprocessable(
        "Several slices of this series lie in the same place, and the files do not say which belong together. "
        "Upload one phase at a time.",
        code="duplicate_positions",
    )


def _unique(group: list[Slice]) -> bool:
    depths = np.sort([depth_mm(each) for each in group])
    return bool((np.diff(depths) > SAME_PLACE_MM).all())
