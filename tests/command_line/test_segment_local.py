"""Folders of cases without a portal: the shipped models in this very process."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from click.testing import CliRunner, Result

from command_line.__main__ import main
from tests.command_line.test_segment import cases

SHAPE = (5, 48, 72)  # slices, rows, columns: no two alike
BOX = (38, 8, 61, 31)  # round the bright disc: right of the middle, above it


def segment(source: Path, *more: str) -> Result:
    # No address: nothing may be asked of a portal.
    typed = ["--address", "https://127.0.0.1:9", "segment", str(source), str(source.parent / "out"), "--local", *more]
    return CliRunner().invoke(main, typed)


def disc() -> Any:
    rows, columns = np.ogrid[: SHAPE[1], : SHAPE[2]]
    return (rows - 19.5) ** 2 + (columns - 49.5) ** 2 <= 12**2


def save(path: Path, **arrays: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    np.savez(path, **{name: np.asarray(array) for name, array in arrays.items()})


def overlap(found: Any, truth: Any) -> float:
    return float(2 * (found & truth).sum() / (found.sum() + truth.sum()))


@pytest.fixture(scope="module")
def outlined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    source = tmp_path_factory.mktemp("local") / "in"
    slice_ = np.where(disc(), 200, 60).astype(np.uint8)
    volume, spacing = np.repeat(slice_[None], SHAPE[0], axis=0), [0.7, 0.9, 3.0]
    never = np.array([{"an": "object"}], object)  # reading this would raise
    save(source / "2D_film.npz", imgs=np.stack([slice_] * 3, axis=-1), boxes=[(0, 30, 20, 45), BOX], gts=never)
    boxes = [(*BOX[:2], 1, *BOX[2:], 3)]
    save(source / "3D_ct.npz", imgs=volume, boxes=boxes, spacing=spacing, gts=disc()[None].repeat(5, axis=0))
    save(source / "3D_same.npz", imgs=volume, boxes=boxes, spacing=spacing, gts=np.zeros(SHAPE, np.uint8))
    save(source / "boxless.npz", imgs=volume, spacing=spacing, gts=disc()[None].repeat(5, axis=0))
    return source.parent / "out", segment(source)


def test_npz_in_npz_out(outlined: tuple[Path, Result]) -> None:
    """Label order: the n-th box is n. A mirrored or turned answer lies on the other side of these slices."""
    target, done = outlined
    assert done.exit_code == 1 and "3 of 4 outlined" in done.output, done.output
    with np.load(target / "2D_film.npz") as file:
        assert file["segs"].shape == SHAPE[1:] and overlap(file["segs"] == 2, disc()) > 0.9
        assert not (file["segs"][:, 36:] == 1).any()
    with np.load(target / "3D_ct.npz") as file:
        assert file["segs"].dtype == np.uint8 and file["segs"].shape == SHAPE
        np.testing.assert_allclose(file["spacing"], [0.7, 0.9, 3.0], atol=1e-6)
        assert np.flatnonzero(file["segs"].any(axis=(1, 2))).tolist() == [1, 2, 3]
        assert all(overlap(file["segs"][z] == 1, disc()) > 0.9 for z in (1, 2, 3))


def test_the_truth_is_never_the_prompt(outlined: tuple[Path, Result]) -> None:
    target, done = outlined
    with np.load(target / "3D_ct.npz") as one, np.load(target / "3D_same.npz") as other:
        np.testing.assert_array_equal(one["segs"], other["segs"])
    assert "boxless.npz: It has no boxes" in done.output and not (target / "boxless.npz").exists()


def test_cases_in_suprems_layout(tmp_path: Path) -> None:
    values = np.full((40, 36, 8), -1000, np.int16)
    values[6:34, 6:30] = 40
    values[10:16, 10:20, 2:6] = 700  # bone, at low x
    affine = np.array([[-0.8, 0.0, 0.0, 5.0], [0.0, 0.7, 0.0, -9.0], [0.0, 0.0, 3.0, 2.0], [0.0, 0.0, 0.0, 1.0]])
    case = nibabel.Nifti1Image(values, affine)
    nibabel.save(case, tmp_path / "ct.nii.gz")
    source = cases(tmp_path / "in", one=(tmp_path / "ct.nii.gz").read_bytes(), poor=b"no volume")
    done = segment(source)
    assert done.exit_code == 1 and "1 of 2 outlined" in done.output, done.output
    bone: Any = nibabel.load(tmp_path / "out" / "one" / "segmentations" / "bone.nii.gz")
    np.testing.assert_allclose(bone.affine, affine, atol=1e-6)
    assert overlap(np.asarray(bone.dataobj) > 0, values == 700) > 0.9
    combined: Any = nibabel.load(tmp_path / "out" / "one" / "combined_labels.nii.gz")
    assert combined.shape == values.shape and combined.get_data_dtype() == np.uint8
    names = (tmp_path / "out" / "one" / "labels.csv").read_text().split()
    bone_is = next(line.split(",")[0] for line in names if ",bone," in line)
    assert set(np.unique(np.asarray(combined.dataobj)[values == 700])) == {int(bone_is)}
    again = segment(source)
    assert "2 cases, 1 of them done before" in again.output


def test_a_model_that_is_not_asked_with_boxes_is_refused_for_npz(tmp_path: Path) -> None:
    save(tmp_path / "in" / "a.npz", imgs=np.zeros((9, 9), np.uint8), boxes=[(0, 0, 5, 5)])
    said = segment(tmp_path / "in", "--model", "ct-tissue")
    assert said.exit_code == 1 and "ct-tissue is not asked with boxes" in said.output
