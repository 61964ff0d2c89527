"""Volumes in: only whole NIfTI-1 of three axes, and nothing is unpacked beyond what its header says."""

import gzip

import nibabel
import numpy as np
import pytest

from ml_service.volume import MOST_VOXELS, read, written

VALUES = np.random.default_rng(1).integers(-1000, 1000, (7, 5, 3)).astype(np.int16)
AFFINE = np.array([[0, 0, 2.5, 4], [-1.5, 0, 0, 5], [0, 2, 0, 6], [0, 0, 0, 1]], np.float64)
PLAIN = nibabel.Nifti1Image(VALUES, AFFINE).to_bytes()


@pytest.mark.parametrize("study", [PLAIN, gzip.compress(PLAIN), gzip.compress(PLAIN + b"more")])
def test_values_and_geometry_are_those_of_the_file(study: bytes) -> None:
    volume = read(study)
    assert (volume.values.transpose(2, 1, 0) == VALUES).all()
    assert volume.spacing_mm == (2.5, 2.0, 1.5) and volume.voxel_ml == pytest.approx(7.5e-3)
    assert volume.long_axis == 1  # rows run from feet to head
    assert (volume.levels(2, 1) == VALUES[:, 2, :].T).all()


def test_the_other_byte_order_is_read_and_leaves_in_the_usual_one() -> None:
    image = nibabel.Nifti1Image(VALUES, AFFINE)
    image.header["vox_offset"], image.header["magic"] = 352, b"n+1"
    header = image.header.as_byteswapped()
    swapped = header.binaryblock + b"\0\0\0\0" + VALUES.astype(VALUES.dtype.newbyteorder()).tobytes(order="F")
    volume = read(swapped)
    assert (volume.values.transpose(2, 1, 0) == VALUES).all()
    mask = nibabel.Nifti1Image.from_bytes(gzip.decompress(written(np.ones((3, 5, 7), np.uint8), volume)))
    assert mask.header.endianness == "<" and (mask.affine == AFFINE).all()


def test_labels_come_back_as_they_were() -> None:
    labels = np.random.default_rng(2).integers(0, 6, (3, 5, 7)).astype(np.uint8)
    mask = nibabel.Nifti1Image.from_bytes(gzip.decompress(written(labels, read(PLAIN))))
    assert (np.asarray(mask.dataobj) == labels.transpose(2, 1, 0)).all()
    assert mask.header.get_intent()[0] == "label"


def lying(shape: tuple[int, ...]) -> bytes:
    header = nibabel.Nifti1Header()
    header.set_data_shape(shape)
    header["vox_offset"], header["magic"] = 352, b"n+1"
    return bytes(header.binaryblock) + bytes(100)


@pytest.mark.parametrize(
    "study",
    [
        b"",
        b"no volume",
        PLAIN[:200],
        PLAIN[:-1],
        gzip.compress(PLAIN)[:-40],
        gzip.compress(b"\0" * 1000),
        gzip.compress(PLAIN[:-1]),
        nibabel.Nifti1Image(np.zeros((4, 4, 4, 2), np.int16), AFFINE).to_bytes(),
        lying((2000, 2000, 2000)),
        b"\x1f\x8b" + b"\xff" * 50,
    ],
    ids=[*("empty text header short cut empty-gzip short-gzip four-axes large broken-gzip".split())],
)
def test_anything_else_is_refused(study: bytes) -> None:
    with pytest.raises(ValueError, match="Expected"):
        read(study)
    assert MOST_VOXELS < 2000**3
