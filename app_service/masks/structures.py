"""The structures of a mask: 0 is background, every other value one structure, and nothing else may stand in it."""

import re
from collections.abc import Mapping, Sequence

from portal_wire.contract import Measurement
from portal_wire.errors import Internal

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_-]+")


def wrong_mask(what: str) -> Internal:
    """A mask that does not belong to its study or its labels: this attempt fails, and nobody sees it."""
    return Internal(f"The model's mask is wrong: {what}.", code="wrong_mask")


def labels_of(measurements: Sequence[Measurement], gaps: bool = False) -> dict[int, str]:
    """The structure that each value of the mask means, in rising order. Raises Internal unless they are 1, 2, 3 …;
    with `gaps` some of these may be missing."""
    labels = {each.index: each.label for each in sorted(measurements, key=lambda each: each.index)}
    if len(labels) < len(measurements) or not labels or (not gaps and max(labels) > len(labels)):
        raise wrong_mask("its structures are not numbered from 1")
    if len({file_name(label) for label in labels.values()}) < len(labels):
        raise wrong_mask("two structures have one name")
    return labels


def check_counts(measurements: Sequence[Measurement], counts: Mapping[int, int]) -> None:
    """Raises Internal unless each structure is as large in the mask as was said: a mask of another study is not."""
    for each in measurements:
        if (each.voxels if each.voxels is not None else each.pixels) != counts[each.index]:
            raise wrong_mask("what was measured is not what it shows")


def file_name(label: str) -> str:
    """A label as part of a file's name: "Left lung" is "Left_lung". Raises Internal for one without a plain letter."""
    plain = _NOT_PLAIN.sub("_", label).strip("_-")
    if not plain:
        raise wrong_mask("a structure has no name")
    return plain
