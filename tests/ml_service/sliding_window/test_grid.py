"""The network's grid and the scan's: where voxels go, and back."""

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from ml_service.sliding_window.grid import back, grid, resampled
from ml_service.sliding_window.plan import Plan
from ml_service.volume import Volume, read


def plan(axes: str = "RAS", spacing: tuple[float, float, float] | None = (2.1, 1.6, 2.6)) -> Plan:
    return Plan(
        size=(8, 8, 8),
        overlap=0.5,
        fast_overlap=0.25,
        spacing_mm=spacing,
        axes=axes,
        levels=(-100, 300),
        activation="sigmoid",
    )


def volume(shape: tuple[int, int, int] = (13, 20, 9)) -> Volume:
    """Oblique, anisotropic, flipped, its axes permuted; scaled values."""
    angle = np.deg2rad(15)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.array([[0.0, 0, -1], [-1, 0, 0], [0, 1, 0]]) @ np.diag([1.1, 0.7, 3.0])
    affine[:3, 3] = (3, -20, 7)
    values = np.random.default_rng(2).integers(-500, 500, shape).astype(np.int16)
    image = nibabel.Nifti1Image(values, affine)
    image.header.set_slope_inter(2, -10)
    return read(image.to_bytes())


def upright(values: NDArray[np.generic], of: Volume, axes: str) -> NDArray[np.generic]:
    """Slices, rows, columns in the order of the network's axes, by nibabel."""
    ways = nibabel.orientations.ornt_transform(
        nibabel.orientations.io_orientation(of.header.get_best_affine()), nibabel.orientations.axcodes2ornt(axes)
    )
    turned: NDArray[np.generic] = nibabel.orientations.apply_orientation(values.T, ways)
    return turned


@pytest.mark.parametrize("axes", ["RAS", "PIR", "LSA"])
def test_without_a_spacing_axes_are_turned_and_nothing_else(axes: str) -> None:
    came = volume()
    to = grid(came, plan(axes, None))
    levels = resampled(came, to)
    assert levels.shape == to.shape
    np.testing.assert_array_equal(levels, upright(came.values * np.float32(came.slope) + came.inter, came, axes))
    labels = (levels > 0).astype(np.uint8)
    np.testing.assert_array_equal(back(labels, to), came.values * came.slope + came.inter > 0)


@pytest.mark.parametrize("axes", ["RAS", "PIR"])
def test_levels_are_those_between_the_voxels_and_labels_come_from_the_nearest(axes: str) -> None:
    came = volume()
    asked = plan(axes)
    assert asked.spacing_mm
    to = grid(came, asked)
    ordered = upright(came.values * np.float32(came.slope) + came.inter, came, axes)
    mm = {"R": 3.0, "P": 1.1, "A": 1.1, "I": 0.7, "S": 0.7}  # of the scan along each way
    steps = [wanted / mm[letter] for wanted, letter in zip(asked.spacing_mm, axes, strict=True)]
    assert to.shape == tuple(round((side - 1) / step) + 1 for side, step in zip(ordered.shape, steps, strict=True))
    places = np.meshgrid(*(np.arange(side) * step for side, step in zip(to.shape, steps, strict=True)), indexing="ij")
    np.testing.assert_allclose(
        resampled(came, to), map_coordinates(ordered, places, order=1, mode="nearest"), atol=0.01
    )
    numbers = np.arange(np.prod(to.shape)).reshape(to.shape).astype(np.uint8)
    nearest = [
        np.minimum(np.rint(np.arange(side) / step), other - 1).astype(int)
        for side, step, other in zip(ordered.shape, steps, to.shape, strict=True)
    ]
    np.testing.assert_array_equal(upright(back(numbers, to), came, axes), numbers[np.ix_(*nearest)])


def test_a_scan_that_is_too_large_in_millimetres_is_refused() -> None:
    image = nibabel.Nifti1Image(np.zeros((40, 40, 40), np.int16), np.diag([900.0, 900, 900, 1]))
    with pytest.raises(ValueError, match="spacing"):
        grid(read(image.to_bytes()), plan())
