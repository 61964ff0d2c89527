"""Volumes of every format keep their values and where each of them lies."""

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from app_service.intake.examine import CanonicalStudy
from app_service.intake.found import find_studies
from app_service.intake.limits import IntakeSettings
from portal_wire.contract import Prompt
from portal_wire.errors import PortalError, Unprocessable
from tests.app_service.intake.dicom_maker import CT, made

# Columns, rows and slices of unequal number, and a bright corner that tells left from right, front from back.
VALUES = np.random.default_rng(5).integers(-1000, 1500, (12, 34, 40)).astype(np.int16)  # slices, rows, columns
VALUES[9:, :8, 30:] = 3000
OBLIQUE = np.array([[0.9, 0.1, 0.3, -20], [-0.15, 0.8, -1.2, 31], [-0.2, 0.3, 2.6, 5], [0, 0, 0, 1]])
OBLIQUE[:3, :3] = np.linalg.qr(OBLIQUE[:3, :3])[0] * (0.7, 0.9, 2.5)
AFFINES = {
    "plain": np.diag([0.7, 0.9, 2.5, 1]),
    "flipped": np.array([[-0.7, 0, 0, 12], [0, -0.9, 0, 7], [0, 0, 2.5, -40], [0, 0, 0, 1.0]]),
    "turned": np.array([[0, 0, 2.5, 1], [-0.7, 0, 0, 2], [0, 0.9, 0, 3], [0, 0, 0, 1.0]]),
    "oblique": OBLIQUE,
}


@pytest.fixture
def taken_in(tmp_path: Path, sandbox: IntakeSettings) -> Callable[[bytes], list[tuple[CanonicalStudy, Any]]]:
    """Studies of a file with their canonical content: a NIfTI image or a picture's pixels."""

    def take(data: bytes) -> list[tuple[CanonicalStudy, Any]]:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        (folder / "original").write_bytes(data)
        more = iter(range(100))

        def another() -> Path:
            made = tmp_path / f"more-{folder.name}-{next(more)}"
            made.mkdir()
            return made

        found, _ = find_studies(folder / "original", sandbox, another)
        return [(study, _content(study, place)) for study, place in found]

    return take


def _content(study: CanonicalStudy, folder: Path) -> Any:
    data = (folder / "image").read_bytes()
    assert (folder / "original").exists()
    if study.kind == "image":
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert cv2.imread(str(folder / "preview"), cv2.IMREAD_UNCHANGED).max() > 0
    return nib.Nifti1Image.from_bytes(gzip.decompress(data))


def nifti(values: NDArray[Any], affine: NDArray[Any], kind: Any = nib.Nifti1Image, big: bool = False) -> bytes:
    header = kind.header_class(endianness=">" if big else "<")
    header.set_data_dtype(values.dtype)
    image = kind(values.T, affine, header=header)
    image.header["descrip"] = b"Canary"
    return bytes(image.to_bytes())


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize("name", AFFINES)
@pytest.mark.parametrize("form", ["NIfTI-1", "NIfTI-2", "big-endian", "gzipped"])
def test_nifti_keeps_values_and_affine(taken_in: Any, name: str, form: str) -> None:
    affine = AFFINES[name]
    kind = nib.Nifti2Image if form == "NIfTI-2" else nib.Nifti1Image
    data = nifti(VALUES, affine, kind, big=form == "big-endian")
    ((study, image),) = taken_in(gzip.compress(data) if form == "gzipped" else data)
    assert (study.kind, study.shape) == ("volume", (34, 40, 12))
    assert study.spacing_mm == pytest.approx((0.9, 0.7, 2.5), rel=1e-5)
    assert study.warnings == []
    np.testing.assert_allclose(image.affine, affine, atol=1e-5)
    np.testing.assert_array_equal(np.asarray(image.dataobj), VALUES.T)
    assert image.get_data_dtype() == np.int16
    assert b"Canary" not in image.to_bytes()


def test_scaled_values_are_written_out(taken_in: Any) -> None:
    data = bytearray(nifti(VALUES, AFFINES["plain"]))
    data[112:120] = struct.pack("<ff", 0.5, 10)  # scl_slope, scl_inter
    ((_, image),) = taken_in(bytes(data))
    np.testing.assert_allclose(np.asarray(image.dataobj), VALUES.T * 0.5 + 10)
    assert image.get_data_dtype() == np.float32


def slices(affine: NDArray[Any], values: NDArray[Any], **elements: Any) -> dict[str, bytes]:
    """DICOM files in an order that is not that of their places; `affine` as NIfTI has it."""
    lps = np.diag([-1, -1, 1, 1]) @ affine
    columns_mm, rows_mm, _ = np.linalg.norm(lps[:3, :3], axis=0)
    files = {}
    for number, plane in enumerate(values):
        files[f"{(number * 7) % 97:03}.dcm"] = made(
            plane,
            SOPClassUID=CT,
            Modality="CT",
            SeriesInstanceUID="1.2.3",
            InstanceNumber=len(values) - number,
            PixelSpacing=[rows_mm, columns_mm],
            ImageOrientationPatient=[*(lps[:3, 0] / columns_mm), *(lps[:3, 1] / rows_mm)],
            ImagePositionPatient=list(np.round(lps[:3, 3] + number * lps[:3, 2], 6)),
            **elements,
        )
    return dict(sorted(files.items()))


@pytest.mark.parametrize("name", AFFINES)
def test_a_dicom_series_keeps_every_value_at_its_place(taken_in: Any, name: str) -> None:
    affine = AFFINES[name]
    ((study, image),) = taken_in(zipped(slices(affine, VALUES, RescaleSlope=1, RescaleIntercept=-24)))
    assert (study.kind, study.modality, study.warnings) == ("volume", "CT", [])
    found = np.asarray(image.dataobj)
    for index in ((0, 0, 0), (39, 33, 11), (31, 2, 10), (5, 30, 1)):
        there = affine @ (*index, 1)
        at = np.rint(np.linalg.inv(image.affine) @ there).astype(int)[:3]
        np.testing.assert_allclose(image.affine @ (*at, 1), there, atol=1e-3)
        assert found[tuple(at)] == VALUES.T[index] - 24
    # Slices are sorted along the normal of their plane, which may be the other way round than they were numbered.
    if np.cross(affine[:3, 0], affine[:3, 1]) @ affine[:3, 2] > 0:
        np.testing.assert_allclose(image.affine, affine, atol=1e-4)


def test_a_tilted_gantry_is_put_upright_and_said_so(taken_in: Any) -> None:
    smooth = np.broadcast_to(np.linspace(0, 400, 34)[:, None], (12, 34, 40)).astype(np.int16)
    tilted = np.array([[-0.7, 0, 0, 0], [0, -0.9, 0.9, 0], [0, 0, 2.5, 0], [0, 0, 0, 1.0]])  # one row a slice
    ((study, image),) = taken_in(zipped(slices(tilted, smooth)))
    assert [notice.code for notice in study.warnings] == ["tilt_corrected"]
    axes = image.affine[:3, :3] / np.linalg.norm(image.affine[:3, :3], axis=0)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-6)
    at = np.rint(np.linalg.inv(image.affine) @ tilted @ (20, 15, 6, 1)).astype(int)[:3]
    assert np.asarray(image.dataobj)[tuple(at)] == smooth[6, 15, 20]


def test_uneven_slices_are_evened_and_said_so(taken_in: Any) -> None:
    files = slices(AFFINES["plain"], VALUES)
    del files[sorted(files)[5]]
    ((study, image),) = taken_in(zipped(files))
    assert [notice.code for notice in study.warnings] == ["slices_interpolated"]
    assert image.shape == (40, 34, 12)
    np.testing.assert_allclose(np.asarray(image.dataobj)[..., 0], VALUES[0].T)


def test_a_scout_in_the_series_is_a_study_of_its_own(taken_in: Any) -> None:
    files = slices(AFFINES["plain"], VALUES) | {"scout": next(iter(slices(AFFINES["turned"], VALUES[:1]).values()))}
    assert sorted(study.kind for study, _ in taken_in(zipped(files))) == ["image", "volume"]


def test_a_bad_file_in_an_archive_is_noted_and_the_others_are_kept(tmp_path: Path, sandbox: IntakeSettings) -> None:
    good, cut = gzip.compress(nifti(VALUES, AFFINES["plain"])), nifti(VALUES, AFFINES["plain"])[:-9]
    (tmp_path / "original").write_bytes(zipped({"a/good": good, "a/cut": cut, "DICOMDIR": b"x", "__MACOSX/x": b"y"}))
    found, refused = find_studies(tmp_path / "original", sandbox, lambda: tmp_path)
    assert [study.kind for study, _ in found] == ["volume"]
    assert [(each.name, each.code) for each in refused] == [("cut", "corrupt")]


def test_an_npz_of_slices_keeps_spacing_and_ignores_the_truth(taken_in: Any) -> None:
    file = io.BytesIO()
    grey = (VALUES // 16 + 70).clip(0, 255).astype(np.uint8)
    np.savez_compressed(file, imgs=grey, gts=np.ones_like(grey), spacing=np.array([0.7, 0.9, 2.5]))
    ((study, image),) = taken_in(file.getvalue())
    assert (study.shape, study.spacing_mm) == ((34, 40, 12), (0.9, 0.7, 2.5))
    assert [notice.code for notice in study.warnings] == ["orientation_unknown"]
    np.testing.assert_array_equal(np.asarray(image.dataobj), grey.T)


def test_an_npz_picture_is_an_image(taken_in: Any) -> None:
    file = io.BytesIO()
    colour = np.random.default_rng(1).integers(0, 255, (40, 50, 3), dtype=np.uint8)
    np.savez(file, imgs=colour, boxes=np.array([[1, 2, 3, 4]]))
    ((study, pixels),) = taken_in(file.getvalue())
    assert (study.kind, study.shape, study.warnings) == ("image", (40, 50, 3), [])
    assert study.prompts == [Prompt(box=[1, 2, 3, 4], label=1)]
    np.testing.assert_array_equal(pixels[..., ::-1], colour)


def test_the_truth_of_an_npz_never_becomes_a_box(taken_in: Any) -> None:
    """Trap: boxes taken from the answer. Those of the file are cut at its borders, keep their numbers, and are all."""
    grey = np.random.default_rng(2).integers(0, 255, (12, 34, 40), dtype=np.uint8)
    truth = np.zeros_like(grey)
    truth[3:6, 5:20, 5:20] = 1
    ((study, _),) = taken_in(npz(imgs=grey, gts=truth, spacing=np.ones(3)))
    assert list(study.prompts) == []
    outside, widened = [50, 3, 0, 60, 9, 3], [-4.0, 3, 0, 44, 9, 12]
    boxes = np.array([outside, widened, [np.nan, 3, 0, 9, 9, 3], [1, 2, 5, 9, 8, 5]])
    ((study, _),) = taken_in(npz(imgs=grey, gts=truth, spacing=np.ones(3), boxes=boxes))
    assert study.prompts == [Prompt(box=[0, 3, 0, 39, 9, 11], label=2), Prompt(box=[1, 2, 5, 9, 8, 5], label=4)]
    assert "boxes_left_out" in [notice.code for notice in study.warnings]


@pytest.mark.parametrize("boxes", [np.zeros((65, 4)), np.zeros(4), np.zeros((2, 6)), np.array([{}], object)])
def test_an_npz_with_odd_boxes_is_a_picture_without_them(taken_in: Any, boxes: Any) -> None:
    grey = np.random.default_rng(1).integers(0, 255, (40, 50), dtype=np.uint8)
    ((study, _),) = taken_in(npz(imgs=grey, boxes=boxes))
    assert list(study.prompts) == [] and [notice.code for notice in study.warnings] == ["boxes_left_out"]


def patched(at: int, form: str, *values: Any) -> bytes:
    data = bytearray(nifti(VALUES, AFFINES["plain"]))
    data[at : at + struct.calcsize(form)] = struct.pack(form, *values)
    return bytes(data)


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=True, **arrays)
    return file.getvalue()


def bomb() -> bytes:
    head = nifti(VALUES, AFFINES["plain"])[:352]
    return gzip.compress(head[:40] + struct.pack("<8h", 3, 1000, 1000, 1000, 1, 1, 1, 1) + head[56:] + bytes(10**7))


def linked() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return file.getvalue()


CLAIM = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({10**13},)}}".ljust(117).encode() + b"\n"
HUGE_ARRAY = zipped({"imgs.npy": b"\x93NUMPY\x01\0\x76\0" + CLAIM})


def twice() -> bytes:
    """The same places again, under other object names."""
    return zipped(slices(AFFINES["plain"], VALUES) | {f"b{k}": v for k, v in slices(AFFINES["plain"], VALUES).items()})


ORDINARY = nifti(VALUES, AFFINES["plain"])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (bomb(), "too_many_voxels"),
        (gzip.compress(ORDINARY + bytes(40 * 2**20)), "too_large_inflated"),
        (gzip.compress(bytes(10**7)), "type_not_allowed"),
        (gzip.compress(gzip.compress(ORDINARY)), "type_not_allowed"),
        (gzip.compress(ORDINARY)[:-3000], "corrupt"),
        (ORDINARY[:-100], "corrupt"),
        (patched(40, "<8h", 7, *[32767] * 7), "bad_dims"),
        (patched(42, "<h", -5), "bad_header"),
        (patched(108, "<f", 1e30), "bad_header"),
        (patched(108, "<f", float("nan")), "bad_header"),
        (patched(280, "<4f", *[float("nan")] * 4), "bad_geometry"),
        (patched(280, "<4f", 0, 0, 0, 0), "bad_geometry"),
        (patched(112, "<f", float("inf")), "bad_values"),
        (patched(70, "<2h", 128, 24), "datatype_not_allowed"),
        (patched(70, "<2h", 32, 64), "datatype_not_allowed"),
        (patched(70, "<2h", 9999, 16), "bad_header"),
        (nifti(np.full((4, 40, 40), np.nan, np.float32), AFFINES["plain"]), "bad_values"),
        (nifti(VALUES[:1], AFFINES["plain"]), "too_small"),
        (npz(imgs=np.array([{}], object)), "datatype_not_allowed"),
        (npz(imgs=np.zeros((2, 2, 40, 40), np.uint8)), "bad_dims"),
        (npz(imgs=np.full((4, 40, 40), np.inf)), "bad_values"),
        (HUGE_ARRAY, "corrupt"),
        (zipped({"../../evil": b"x"}), "archive_unsafe"),
        (zipped({"/abs": b"x"}), "archive_unsafe"),
        (linked(), "archive_unsafe"),
        (zipped({"zeros": bytes(60 * 2**20)}), "too_large_inflated"),
        (zipped({"a.zip": zipped({"b": b"c"})}), "archive_unsafe"),
        (zipped({str(number): b"" for number in range(2001)}), "too_many_files"),
        (zipped({"a": b"x"})[:-30], "corrupt"),
        (twice(), "duplicate_positions"),
    ],
)
def test_refusals(taken_in: Any, data: bytes, code: str) -> None:
    with pytest.raises(PortalError) as caught:
        taken_in(data)
    assert isinstance(caught.value, Unprocessable)
    assert caught.value.code == code
