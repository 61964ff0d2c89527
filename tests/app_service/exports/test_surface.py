"""Surfaces of drawn structures: closed, as large as what was drawn, and where it was."""

import struct

import numpy as np
import pytest
from numpy.typing import NDArray

from app_service.exports.surface import stl, triangles
from portal_wire.errors import Unprocessable

RADIUS_MM = 20.0
PLAIN = np.diag([1.0, 1.0, 1.0, 1.0])
FLAT = np.diag([0.8, 0.8, 2.5, 1.0])
MIRRORED = np.diag([-0.8, 0.9, 2.0, 1.0])
TURN = np.array([[np.cos(0.4), -np.sin(0.4), 0], [np.sin(0.4), np.cos(0.4), 0], [0, 0, 1]])
OBLIQUE = np.eye(4)
OBLIQUE[:3, :3] = TURN @ TURN[[2, 0, 1]][:, [2, 0, 1]] * (0.9, 1.1, 1.6)
OBLIQUE[:3, 3] = -30, 12, 500
AFFINES = {"plain": PLAIN, "flat": FLAT, "mirrored": MIRRORED, "oblique": OBLIQUE}


def ball(affine: NDArray[np.float64], at: tuple[float, float, float]) -> NDArray[np.bool_]:
    """RADIUS_MM around a voxel of a volume of 90 x 70 x 60."""
    voxels = np.stack(np.meshgrid(*map(np.arange, (90, 70, 60)), indexing="ij"), axis=-1)
    away = (voxels - np.array(at)) @ affine[:3, :3].T
    return np.asarray((away**2).sum(axis=-1) < RADIUS_MM**2)


def volume_mm3(corners: NDArray[np.floating]) -> float:
    """By the divergence theorem: above nought where the corners turn counter-clockwise seen from outside."""
    exact = corners.astype(np.float64) - corners.mean(axis=(0, 1), dtype=np.float64)
    return float(np.einsum("ij,ij->i", exact[:, 0], np.cross(exact[:, 1], exact[:, 2])).sum() / 6)


def is_closed(corners: NDArray[np.floating]) -> bool:
    """Every side of a triangle is gone along as often in one direction as in the other."""
    points, number = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)
    one, two, three = number.reshape(-1, 3).T.astype(np.int64)
    start, end = np.concatenate([one, two, three]), np.concatenate([two, three, one])
    return np.array_equal(np.sort(start * len(points) + end), np.sort(end * len(points) + start))


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_a_ball_has_its_volume_and_its_place_and_no_hole(affine: NDArray[np.float64]) -> None:
    at = (45.0, 35.0, 30.0)
    found = triangles(ball(affine, at), affine)
    assert is_closed(found)
    assert volume_mm3(found) == pytest.approx(4 / 3 * np.pi * RADIUS_MM**3, rel=0.03)
    left_back_head = (affine @ (*at, 1))[:3] * (-1, -1, 1)
    corners = found.reshape(-1, 3)
    np.testing.assert_allclose((corners.min(axis=0) + corners.max(axis=0)) / 2, left_back_head, atol=0.5)
    np.testing.assert_allclose(
        np.ptp(corners, axis=0) / 2, RADIUS_MM, atol=np.linalg.norm(affine[:3, :3], axis=0).max()
    )


@pytest.mark.parametrize("affine", [PLAIN, MIRRORED], ids=["plain", "mirrored"])
def test_what_lies_on_the_patients_left_stays_there(affine: NDArray[np.float64]) -> None:
    """Trap: NIfTI counts to the right, DICOM and STL viewers to the left."""
    mask = np.zeros((40, 40, 40), bool)
    mask[25:35, 10:20, 5:9] = True  # further along the first axis than the middle
    found = triangles(mask, affine)
    to_the_right = affine[0, 0] > 0
    middle = (affine @ (19.5, 19.5, 19.5, 1))[0] * -1
    assert (found[..., 0].max() < middle) == to_the_right and (found[..., 0].min() > middle) == (not to_the_right)
    assert is_closed(found) and volume_mm3(found) > 0


def test_speckles_that_touch_by_an_edge_are_closed_too() -> None:
    found = triangles(np.random.default_rng(0).random((16, 16, 16)) > 0.5, PLAIN)
    assert is_closed(found) and volume_mm3(found) > 0


def test_a_structure_at_the_rim_of_its_volume_is_closed() -> None:
    found = triangles(np.ones((12, 12, 12), bool), PLAIN)
    assert is_closed(found) and volume_mm3(found) == pytest.approx(12**3, rel=0.1)


def test_a_fine_surface_is_made_coarser_until_it_fits() -> None:
    mask = ball(FLAT, (45, 35, 30))
    found = triangles(mask, FLAT, most=6000)
    assert len(found) <= 6000 < len(triangles(mask, FLAT))
    assert is_closed(found) and volume_mm3(found) == pytest.approx(4 / 3 * np.pi * RADIUS_MM**3, rel=0.03)


def test_the_file_is_binary_stl_with_normals_that_point_outwards() -> None:
    found = triangles(ball(PLAIN, (45, 35, 30)), PLAIN)
    data = stl(found)
    assert not data.startswith(b"solid") and b"SPACE=LPS" in data[:80]
    (count,) = struct.unpack_from("<I", data, 80)
    assert count == len(found) and len(data) == 84 + 50 * count
    first = np.frombuffer(data, "<f4", 12, 84).reshape(4, 3)
    outwards = first[1:].mean(axis=0) - (-45, -35, 30)
    assert np.dot(first[0], outwards) > 0 and np.linalg.norm(first[0]) == pytest.approx(1, abs=1e-5)


def test_a_structure_without_a_voxel_has_no_surface() -> None:
    with pytest.raises(Unprocessable) as caught:
        triangles(np.zeros((4, 4, 4), bool), PLAIN)
    assert caught.value.code == "no_structure"
