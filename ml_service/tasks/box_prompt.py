"""Whatever a person drew boxes round, on an image or through a volume. Nothing else of a study is read than its levels
and the boxes: no mask that came with it, no name, no modality."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from ml_service.label_maps import LabelMap, Measured, Outlined, measured, png
from ml_service.prompts.boxes import Prompt
from ml_service.prompts.compact import Plane
from ml_service.prompts.follow import Found, Run, follow, runs, steps
from ml_service.prompts.memory import Box, Memory
from ml_service.prompts.studies import Study
from ml_service.volume import written
from portal_wire.contract import Notice

LABELS = ("object",)
NEGATIVE_LABEL = None

OutlineSlices = Callable[[int, Sequence[Box]], list[Plane]]  # slice, boxes -> their logits, above 0 inside
Ways = list[tuple[int, list[Run]]]  # by label, in the order in which labels were first drawn


def ways(study: Study, prompts: Sequence[Prompt]) -> Ways:
    """Returns the ways through a volume's slices that the prompts ask for, a list for each label."""
    labels = dict.fromkeys(prompt.label for prompt in prompts)
    return [(label, runs([p for p in prompts if p.label == label], study.slices)) for label in labels]


def count_steps(study: Study, prompts: Sequence[Prompt]) -> int:
    """Returns how often `drawn` says that it has got on."""
    if study.volume is None:
        return len(prompts)
    return sum(steps(found) for _, found in ways(study, prompts))


def drawn(
    study: Study,
    prompts: Sequence[Prompt],
    outline: OutlineSlices,
    step: Callable[[], None],
    memory: type[Memory] = Memory,
) -> LabelMap:
    """Returns the label map, in the study's shape. Where two objects meet, the one that was drawn later has the place.

    `step` is called after each slice of each box; `memory` is what the network goes by from slice to slice.
    """
    labels = np.zeros(study.shape, np.uint8)
    if study.volume is None:
        for prompt in prompts:
            labels[outline(0, [prompt.box])[0] > 0] = prompt.label
            step()
        return labels
    for label, found in ways(study, prompts):
        for run in found:
            for at in _followed(run, study, outline, step, memory):
                if at.mask is not None:
                    labels[at.z][at.mask] = label
    return labels


def outlined(
    study: Study, prompts: Sequence[Prompt], labels: LabelMap, spacing_mm: tuple[float, float] | None
) -> Outlined:
    """Returns the mask as a file in the study's geometry, what was measured of it, and a word on each empty object."""
    rows = [_row(study, number, labels, spacing_mm) for number in sorted({prompt.label for prompt in prompts})]
    missing = [
        Notice(code="not_found", detail=f"Nothing was outlined for label {row['index']}.")
        for row in rows
        if not row["share"]
    ]
    mask = partial(png, labels) if study.volume is None else partial(written, labels, study.volume)
    return Outlined(mask, rows, missing)


def _followed(
    run: Run, study: Study, outline: OutlineSlices, step: Callable[[], None], memory: type[Memory]
) -> Iterator[Found]:
    """Yields one way's slices; a way that ends early has got on by all that it did not need."""
    left = len(run.slices)
    for found in follow(run, lambda z, box: outline(z, [box])[0], study.plane, memory):
        yield found
        step()
        left -= 1
    for _ in range(left):
        step()


def _row(study: Study, number: int, labels: LabelMap, spacing_mm: tuple[float, float] | None) -> Measured:
    inside = labels == number
    count = int(inside.sum())
    name, share = LABELS[0], count / labels.size  # its number tells it from the others
    if study.volume is None:
        area = None if spacing_mm is None else round(count * spacing_mm[0] * spacing_mm[1], 1)
        return measured(name, number, share, pixels=count, area_mm2=area)
    volume = study.volume
    mean = None
    if study.hounsfield and count:
        mean = round(float(volume.values[inside].mean(dtype=np.float64)) * volume.slope + volume.inter, 1)
    return measured(name, number, share, voxels=count, volume_ml=round(count * volume.voxel_ml, 2), mean_hu=mean)
