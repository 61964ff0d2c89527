"""DSC and NSD against numbers of the surface-distance library itself, and the rules of the challenge."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from command_line.__main__ import main
from command_line.overlap import dsc, nsd, scores
from command_line.surface_elements import surface_pieces


def ellipsoid(shape: tuple[int, ...], middle: tuple[float, ...], radii: tuple[float, ...]) -> NDArray[np.bool_]:
    there = np.indices(shape)
    found: NDArray[np.bool_] = sum(((there[i] - middle[i]) / radii[i]) ** 2 for i in range(len(shape))) <= 1  # type: ignore[assignment]
    return found


# compute_surface_dice_at_tolerance(compute_surface_distances(a, b, spacing), 2.0) of google-deepmind/surface-distance
@pytest.mark.parametrize(
    ("shape", "first", "second", "spacing", "nsd_there"),
    [
        ((40, 64, 56), ((18, 30, 28), (8, 14, 12)), ((20, 31, 28), (8, 14.5, 11)), (5, 0.8, 0.8), 0.79381),
        ((40, 64, 56), ((18, 30, 28), (8, 14, 12)), ((20, 33, 28), (8, 15.5, 11)), (1, 1, 1), 0.7712),
        ((40, 64, 56), ((18, 30, 28), (8, 14, 12)), ((20, 35, 28), (8, 16.5, 11)), (2.5, 0.7, 0.9), 0.51877),
        ((90, 70), ((40, 30), (20, 14)), ((43, 31), (18, 16)), (1, 1), 0.61454),
        ((90, 70), ((40, 30), (20, 14)), ((43, 31), (18, 16)), (0.7, 1.3), 0.62656),
    ],
)
def test_surfaces_agree_as_in_the_papers_own_library(
    shape: Any, first: Any, second: Any, spacing: Any, nsd_there: float
) -> None:
    a, b = ellipsoid(shape, *first), ellipsoid(shape, *second)
    assert nsd(a, b, spacing) == pytest.approx(nsd_there, abs=0.003)
    assert nsd(a, a, spacing) == 1.0 and nsd(a, np.zeros_like(a), spacing) == 0.0


def test_a_spheres_surface_and_a_discs_border_have_their_size() -> None:
    disc = ellipsoid((99, 99), (49, 49), (40, 40))
    assert surface_pieces(disc, (0.5, 0.5)).sum() == pytest.approx(np.pi * 40, rel=0.08)
    ball = ellipsoid((61, 61, 61), (30, 30, 30), (25, 25, 25))
    assert surface_pieces(ball, (0.5, 0.5, 0.5)).sum() == pytest.approx(np.pi * 25**2, rel=0.08)


def test_the_dice_of_two_halves() -> None:
    a, b = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    a[:, :2] = b[:2] = True
    assert dsc(a, b) == 0.5


def test_no_credit_for_surfaces_where_the_volumes_do_not_meet() -> None:
    truth, answer = np.zeros((20, 20), np.uint8), np.zeros((20, 20), np.uint8)
    truth[5:15, 5:6] = answer[5:15, 6:7] = 1  # a pixel apart, and within the tolerance
    assert nsd(truth == 1, answer == 1, (1, 1)) == 1.0
    assert scores(truth, answer, (1, 1)) == (0.0, 0.0)
    both = np.where(truth, 2, 0) + np.eye(20, dtype=int) * (truth == 0)
    assert scores(both, np.where(both == 2, 2, 0), (1, 1))[0] == 0.5  # the mean over the labels of the truth


def case(path: Path, **arrays: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    np.savez_compressed(path, **arrays)


def test_a_folder_of_cases_and_its_table(tmp_path: Path) -> None:
    """Trap: the spacing is stored as x, y, z and the arrays are slices, rows, columns."""
    truth, shifted = np.zeros((12, 20, 30), np.uint8), np.zeros((12, 20, 30), np.uint8)
    truth[3:9, 5:15, 8:22] = 1
    shifted[4:10, 5:15, 8:22] = 1  # one slice of 5 mm too high: beyond the tolerance at top and bottom
    case(tmp_path / "truth" / "a.npz", gts=truth, spacing=np.array([0.8, 0.8, 5.0]))
    case(tmp_path / "truth" / "b.npz", gts=truth, spacing=np.array([0.8, 0.8, 5.0]))
    case(tmp_path / "truth" / "c.npz", imgs=truth)
    case(tmp_path / "truth" / "d.npz", gts=truth, spacing=np.array([0.8, 0.8, 5.0]))
    case(tmp_path / "out" / "a.npz", segs=truth)
    case(tmp_path / "out" / "b.npz", segs=shifted)
    table = tmp_path / "scores.csv"
    said = CliRunner().invoke(main, ["score", str(tmp_path / "truth"), str(tmp_path / "out"), "--csv", str(table)])
    assert said.exit_code == 1 and "c: it has no gts" in said.output, said.output
    rows = {row["case"]: row for row in csv.DictReader(table.open(newline=""))}
    assert list(rows) == ["a", "b", "d"] and "3 cases: DSC" in said.output
    assert (rows["a"]["dsc"], rows["a"]["nsd"]) == ("1.0000", "1.0000")
    assert (rows["d"]["dsc"], rows["d"]["nsd"]) == ("0.0000", "0.0000")  # no answer
    assert rows["b"]["dsc"] == "0.8333"
    there = nsd(truth == 1, shifted == 1, (5.0, 0.8, 0.8))
    assert there < 0.9 and float(rows["b"]["nsd"]) == pytest.approx(there, abs=1e-4)
    assert nsd(truth == 1, shifted == 1, (0.8, 0.8, 5.0)) == 1.0  # what the other order would have said
