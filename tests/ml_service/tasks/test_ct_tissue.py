"""Tissues of drawn volumes: right numbers, right places, whatever the axes; no CT, no answer."""

import gzip
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from ml_service.label_maps import Outlined
from ml_service.manifest import Golden, GoldenCase, Rules
from ml_service.served_rules import stepper
from ml_service.tasks import ct_tissue
from ml_service.tasks.verdict import Verdict
from ml_service.training.rules import phantom
from ml_service.volume import read
from portal_wire.errors import Conflict

DRAWN = phantom.drawn()
RULES = Rules(
    name="ct-tissue",
    version="1",
    title="-",
    subject="-",
    task="ct-tissue",
    kind="volume",
    modalities=("CT",),
    labels=ct_tissue.LABELS,
    negative_label=None,
    limits=(),
    golden=Golden(tolerance=1, cases=(GoldenCase(file="-", label="-", probability=None, ood_score=0),)),
    files={},
)


def asked(values: "NDArray[Any]", affine: "NDArray[np.float64]") -> tuple[Verdict, Outlined | None]:
    study = gzip.compress(nibabel.Nifti1Image(values, affine).to_bytes(), 1)
    volume = ct_tissue.read(study)
    return ct_tissue.outline(volume, RULES, lambda: None)


def mask_of(outlined: Outlined | None) -> Any:
    assert outlined is not None
    return nibabel.Nifti1Image.from_bytes(gzip.decompress(outlined.mask()))


def dice(found: "NDArray[Any]", truth: "NDArray[Any]", number: int) -> float:
    return (
        2 * int(((found == number) & (truth == number)).sum()) / int((found == number).sum() + (truth == number).sum())
    )


def test_label_order_air_lung_fat_soft_tissue_bone() -> None:
    assert ct_tissue.LABELS == ("air", "lung", "fat", "soft_tissue", "bone")
    verdict, outlined = asked(DRAWN.values, DRAWN.affine)
    found = np.asarray(mask_of(outlined).dataobj)
    assert verdict.label == "segmented" and verdict.in_distribution and not verdict.findings
    assert all(dice(found, DRAWN.truth, number) > 0.99 for number in range(1, 6))


def test_volumes_are_those_of_the_voxels_also_where_axes_are_oblique() -> None:
    _, outlined = asked(DRAWN.values, DRAWN.affine)
    found = np.asarray(mask_of(outlined).dataobj)
    assert outlined is not None
    for index, row in enumerate(outlined.measurements, start=1):
        assert (row["label"], row["index"], row["pixels"], row["area_mm2"]) == (
            ct_tissue.LABELS[index - 1],
            index,
            None,
            None,
        )
        assert row["voxels"] == int((found == index).sum())
        assert row["volume_ml"] == pytest.approx(row["voxels"] * 3 * 4 * 5 / 1000, abs=0.01)
        assert row["mean_hu"] == pytest.approx(DRAWN.values[found == index].mean(), abs=0.1)
        assert row["share"] == pytest.approx(row["voxels"] / found.size, abs=1e-6)


@pytest.mark.parametrize("flip", [(1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1)])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_left_and_right_the_mask_lies_where_the_volume_does(flip: tuple[int, ...], order: tuple[int, ...]) -> None:
    """Trap: flipped, turned and non-square volumes. One lung is taken out, so that the sides differ."""
    values = DRAWN.values.copy()
    lungless = (phantom.LUNG == DRAWN.truth) & (np.arange(phantom.SHAPE[0]) < phantom.SHAPE[0] // 2)[:, None, None]
    values[lungless] = phantom.LEVELS[phantom.SOFT]
    truth = np.where(lungless, phantom.SOFT, DRAWN.truth)
    turned = nibabel.Nifti1Image(values, DRAWN.affine).as_reoriented(np.array([*zip(order, flip, strict=True)]))
    expected = nibabel.Nifti1Image(truth, DRAWN.affine).as_reoriented(np.array([*zip(order, flip, strict=True)]))
    _, outlined = asked(np.asarray(turned.dataobj), turned.affine)
    mask = mask_of(outlined)
    assert (
        mask.shape == turned.shape and (mask.affine == nibabel.Nifti1Image.from_bytes(turned.to_bytes()).affine).all()
    )
    assert dice(np.asarray(mask.dataobj), np.asarray(expected.dataobj), phantom.LUNG) > 0.99


def test_the_geometry_leaves_as_it_came_to_the_bit() -> None:
    image = nibabel.Nifti1Image(DRAWN.values, DRAWN.affine)
    image.set_sform(DRAWN.affine, 1)
    image.set_qform(DRAWN.affine, 2)
    came = nibabel.Nifti1Image.from_bytes(image.to_bytes())
    _, outlined = ct_tissue.outline(read(image.to_bytes()), RULES, lambda: None)
    mask = mask_of(outlined)
    for name in ("srow_x", "srow_y", "srow_z", "pixdim", "sform_code", "qform_code", "quatern_b", "qoffset_x"):
        assert (mask.header[name] == came.header[name]).all(), name
    assert mask.get_data_dtype() == np.uint8 and mask.header.get_slope_inter() in ((1, 0), (None, None))


def test_levels_that_are_stored_scaled_mean_the_same() -> None:
    image = nibabel.Nifti1Image((DRAWN.values + 1024).astype(np.uint16), DRAWN.affine)
    image.header.set_slope_inter(1, -1024)
    stored = image.to_bytes()
    study = bytearray(stored)
    study[112:120] = np.array([1, -1024], "<f4").tobytes()  # nibabel writes a slope of its own choice
    volume = read(bytes(study))
    labels = ct_tissue.segmented(volume, lambda: None)[0].transpose(2, 1, 0)
    assert dice(labels, DRAWN.truth, phantom.FAT) > 0.99 and dice(labels, DRAWN.truth, phantom.LUNG) > 0.99


def test_lungs_that_the_picture_cuts_off_are_lung_all_the_same() -> None:
    narrow = slice(20, 76), slice(14, 58)
    _, outlined = asked(DRAWN.values[narrow], DRAWN.affine)
    found = np.asarray(mask_of(outlined).dataobj)
    assert dice(found, DRAWN.truth[narrow], phantom.LUNG) > 0.98


def test_a_contrast_filled_body_is_remarked_on() -> None:
    verdict, _ = asked(np.where(DRAWN.truth == phantom.SOFT, 300, DRAWN.values).astype(np.int16), DRAWN.affine)
    assert [warning.code for warning in verdict.warnings] == ["much_bone"]
    assert not asked(DRAWN.values, DRAWN.affine)[0].warnings


@pytest.mark.parametrize("levels", ["magnetic resonance", "raw numbers", "between 0 and 1", "air alone", "one level"])
def test_what_is_no_ct_is_refused_by_name(levels: str) -> None:
    values = {
        "magnetic resonance": np.clip(DRAWN.values + 1000, 0, None) % 700,
        "raw numbers": DRAWN.values.astype(np.int32) + 1024,
        "between 0 and 1": (DRAWN.values.astype(np.float32) + 1024) / 4095,
        "air alone": np.full(phantom.SHAPE, -1000, np.int16),
        "one level": np.zeros(phantom.SHAPE, np.int16),
    }[levels]
    verdict, outlined = asked(values, DRAWN.affine)
    assert outlined is None and not verdict.in_distribution and verdict.label == "not_answered"
    assert [warning.code for warning in verdict.warnings] == ["not_a_ct"]


def test_progress_is_told_slab_by_slab_and_a_cancelled_request_stops() -> None:
    volume = read(phantom.packed(DRAWN))
    begun: list[Any] = []
    step = stepper(begun, ct_tissue.steps(volume))
    assert len(begun) == 4  # 40 slices, 16 at a time, and the end
    ct_tissue.outline(volume, RULES, step)
    assert all(each.done() for each in begun)
    begun = []
    step = stepper(begun, ct_tissue.steps(volume))
    for each in begun:
        each.cancel()
    with pytest.raises(Conflict):
        ct_tissue.outline(volume, RULES, step)
