"""Objects are followed through drawn volumes by a stand-in for the network that outlines what is bright in its box."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from ml_service.prompts.boxes import Prompt
from ml_service.prompts.compact import Plane
from ml_service.prompts.follow import Widened, follow, next_box, runs, steps
from ml_service.prompts.memory import Box, Memory, moved, tight
from ml_service.prompts.studies import Study
from ml_service.tasks.box_prompt import OutlineSlices, count_steps, drawn
from ml_service.volume import Volume, read
from tests.ml_service.prompts.volumes import nifti

SHAPE = (40, 64, 96)  # slices, rows, columns: no two alike
MIDDLE, RADIUS = (18, 30, 60), 11


def sphere(middle: tuple[int, int, int] = MIDDLE, radius: float = RADIUS) -> Any:
    at = np.indices(SHAPE)
    return sum((at[n] - middle[n]) ** 2 for n in range(3)) <= radius**2


def study_of(values: Any) -> Study:
    return Study(read(nifti(values)), "drawn")


def bright(study: Study) -> tuple[list[int], OutlineSlices]:
    """Returns the slices that were asked for, and what outlines there."""
    asked: list[int] = []

    def outline(z: int, boxes: Sequence[Box]) -> list[Plane]:
        asked.append(z)
        plane = study.plane(z)
        found = []
        for x_min, y_min, x_max, y_max in boxes:
            mask = np.zeros(plane.shape, bool)
            rows, columns = slice(int(y_min), int(np.ceil(y_max)) + 1), slice(int(x_min), int(np.ceil(x_max)) + 1)
            mask[rows, columns] = plane[rows, columns] > 60
            found.append(np.where(mask, 6, -6).astype(np.float32))
        return found

    return asked, outline


def level(inside: Any) -> Any:
    noise = np.random.default_rng(2).normal(0, 4, SHAPE)
    return (np.where(inside, 100, 20) + noise).astype(np.int16)


def boxed(z: int, label: int = 1, through: bool = True, z_max: int | None = None) -> Prompt:
    """A box round the whole sphere's middle, on slice z."""
    x, y = MIDDLE[2], MIDDLE[1]
    edges = (x - RADIUS - 1.0, y - RADIUS - 1.0, x + RADIUS + 1.0, y + RADIUS + 1.0)
    return Prompt(edges, z, z if z_max is None else z_max, label, through)


def test_a_sphere_is_followed_while_it_grows_and_shrinks_and_no_further() -> None:
    truth = sphere()
    study = study_of(level(truth))
    asked, outline = bright(study)
    told: list[int] = []
    labels = drawn(study, [boxed(12)], outline, lambda: told.append(1))
    slices = np.flatnonzero((labels > 0).any(axis=(1, 2)))
    assert abs(slices[0] - (MIDDLE[0] - RADIUS)) <= 1 and abs(slices[-1] - (MIDDLE[0] + RADIUS)) <= 1
    assert 2 * ((labels > 0) & truth).sum() / ((labels > 0).sum() + truth.sum()) > 0.98
    assert set(asked) < set(range(SHAPE[0]))  # it stopped, and looked at no slice beyond
    assert len(told) == count_steps(study, [boxed(12)])  # all the same it says that it is done


def test_without_through_a_box_is_for_its_slice_alone() -> None:
    study = study_of(level(sphere()))
    asked, outline = bright(study)
    labels = drawn(study, [boxed(18, through=False)], outline, lambda: None)
    assert np.flatnonzero((labels > 0).any(axis=(1, 2))).tolist() == [18] and set(asked) == {18}


def test_a_box_over_slices_is_followed_from_its_middle_to_its_ends_and_not_beyond() -> None:
    """The challenge's rule: from z_min + half the extent up to z_max, then down to z_min, without an early stop."""
    study = study_of(level(sphere()))
    asked, outline = bright(study)
    prompt = boxed(13, through=False, z_max=20)
    labels = drawn(study, [prompt], outline, lambda: None)
    assert np.flatnonzero((labels > 0).any(axis=(1, 2))).tolist() == [*range(13, 21)]
    assert asked == [16, 17, 18, 19, 20, 16, 15, 14, 13]
    up, down = runs([prompt], SHAPE[0])
    assert (up.start, up.slices, down.slices) == (16, (16, 17, 18, 19, 20), (15, 14, 13)) and not up.ends


def test_an_empty_mask_falls_back_to_the_drawn_box() -> None:
    box = (3.0, 4.0, 20.0, 30.0)
    assert next_box(np.zeros((50, 60), bool), box) == box
    mask = np.zeros((100, 256), bool)
    mask[10:21, 0:31] = True
    assert next_box(mask, box) == (0.0, 7.0, 33.0, 23.0)  # 3 of 256 pixels wider, and not beyond the slice


def test_between_two_boxes_of_one_label_the_box_moves_from_one_to_the_other() -> None:
    low = Prompt((10, 10, 20, 20), 5, 5, 1, True)
    high = Prompt((30, 10, 50, 40), 9, 9, 1, True)
    found = runs([high, low], 20)
    between = next(run for run in found if run.drawn)
    assert between.slices == (6, 7, 8) and between.drawn[7] == (20.0, 10.0, 35.0, 30.0)
    outward = {run.start: run.slices for run in found if run.ends}
    assert outward == {5: (4, 3, 2, 1, 0), 9: tuple(range(10, 20))}
    assert steps(found) == 20


def test_two_labels_keep_apart_and_the_later_one_has_the_place() -> None:
    study = study_of(level(sphere()))
    _, outline = bright(study)
    prompts = [boxed(18, 7, through=False), boxed(18, 3, through=False)]
    labels = drawn(study, prompts, outline, lambda: None)
    assert set(np.unique(labels)) == {0, 3}


@pytest.mark.parametrize(("then", "last"), [(140, 39), (40, 24)])
def test_a_change_of_level_ends_it_though_the_outline_goes_on(then: int, last: int) -> None:
    """Around the column is 20, inside 160, a shadow of 45 beside it. Of 40 nothing was inside."""
    inside = np.zeros(SHAPE, bool)
    inside[:, 20:40, 50:70] = True
    volume = level(inside)
    volume[inside] = np.random.default_rng(3).normal(150, 12, inside.sum())
    volume[:, 16:20, 50:70] = 40
    volume[25:][inside[25:]] = then

    def blind(z: int, boxes: Sequence[Box]) -> list[Plane]:
        return [np.where(inside[z], 6, -6).astype(np.float32)]  # it sees an edge, whatever the level

    prompt = Prompt((50, 20, 69, 39), 10, 10, 1, True)
    labels = drawn(study_of(volume), [prompt], blind, lambda: None)
    assert np.flatnonzero((labels > 0).any(axis=(1, 2)))[-1] == last


def filling(z: int, boxes: Sequence[Box]) -> list[Plane]:
    """A network at its worst: whatever it is handed, it fills."""
    x, y = np.arange(SHAPE[2]), np.arange(SHAPE[1])[:, None]
    inside = [(x >= b[0]) & (x <= b[2]) & (y >= b[1]) & (y <= b[3]) for b in boxes]
    return [np.where(each, 6, -6).astype(np.float32) for each in inside]


@pytest.mark.parametrize("memory", [Memory, Widened])
def test_a_box_does_not_grow_from_slice_to_slice(memory: type[Memory]) -> None:
    """By the challenge's rule a mask that fills its box is wider on every slice: so it was with the compact network."""
    inside = np.zeros(SHAPE, bool)
    inside[:, 20:41, 50:71] = True
    study = study_of(level(inside))
    prompt = Prompt((50, 20, 70, 40), 10, 39, 1, False)
    labels = drawn(study, [prompt], filling, lambda: None, memory)
    wide = tight(labels[39] > 0)
    grown = max(abs(found - edge) for found, edge in zip(wide, prompt.box, strict=True))
    assert grown <= 1 if memory is Memory else grown > 10


def test_an_object_that_moves_is_looked_for_where_it_went() -> None:
    """Also to the left and up, on slices that are not square: x and y are not exchanged."""
    rows, columns = np.indices((60, 90))
    texture = np.random.default_rng(4).normal(0, 3, (60, 90)).astype(np.float32)

    def disc(x: float, y: float) -> Any:
        return (columns - x) ** 2 + (rows - y) ** 2 <= 9**2

    one, other = (np.where(disc(*at), 100, 20) + texture for at in ((60, 30), (54, 27)))
    expected = moved(one.astype(np.float32), other.astype(np.float32), disc(60, 30)) > 0
    truth = disc(54, 27)
    assert 2 * (expected & truth).sum() / (expected.sum() + truth.sum()) > 0.9


@pytest.mark.parametrize("shape", [(9, 40), (40, 9), (3, 3)])
def test_motion_is_told_of_the_smallest_slices(shape: tuple[int, int]) -> None:
    mask = np.zeros(shape, bool)
    mask[1:3, 1:3] = True
    plane = np.random.default_rng(5).normal(0, 1, shape).astype(np.float32)
    assert (moved(plane, plane, mask) > 0)[1:3, 1:3].any()
    assert (moved(plane, plane, np.ones(shape, bool)) > 0).any()


def test_a_box_with_nothing_in_it_is_followed_nowhere() -> None:
    study = study_of(level(np.zeros(SHAPE, bool)))
    asked, outline = bright(study)
    labels = drawn(study, [boxed(18)], outline, lambda: None)
    assert not labels.any() and set(asked) == {18}


def test_an_ended_way_yields_nothing_more() -> None:
    study = study_of(level(sphere()))
    _, outline = bright(study)
    up = next(run for run in runs([boxed(18)], SHAPE[0]) if run.slices[0] == 19)
    found = list(follow(up, lambda z, box: outline(z, [box])[0], study.plane))
    assert [one.z for one in found] == list(range(19, found[-1].z + 1)) and found[-1].z <= MIDDLE[0] + RADIUS


def test_a_volume_is_read_with_x_along_its_first_axis() -> None:
    values = np.zeros(SHAPE, np.int16)
    values[5, 10, 80] = 7
    study = study_of(values)
    assert isinstance(study.volume, Volume) and study.shape == SHAPE and study.plane(5)[10, 80] == 7
