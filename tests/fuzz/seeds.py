"""What fuzzing begins with, as code: small good files for each reader, and bad ones that once ended one wrongly."""

import gzip
import io
import zipfile
from collections.abc import Callable

import numpy as np

from tests.app_service.intake.dicom_maker import made
from tests.app_service.intake.test_volume import nifti, zipped
from tests.bad_input.archives import archive, array_header
from tests.bad_input.pictures import NOISE, saved

SMALL = NOISE[:40, :40]


def _volume() -> bytes:
    return nifti(np.zeros((2, 32, 32), np.uint8), np.eye(4))


def _array() -> bytes:
    file = io.BytesIO()
    np.save(file, SMALL)
    return file.getvalue()


SEEDS: dict[str, list[Callable[[], bytes]]] = {
    "sniff": [saved, _volume],
    "png": [lambda: saved(SMALL)[8:]],
    "jpeg": [lambda: saved(SMALL, "JPEG")[2:], lambda: saved(SMALL, "JPEG", progressive=True)[2:]],
    "dicom": [lambda: made(SMALL)[132:]],
    "nifti": [_volume],
    "gzip": [lambda: gzip.compress(_volume())],
    "npz": [_array],
    "zip": [lambda: zipped({"a.png": saved(SMALL), "b/c": b"d"})],
}


def _torn_meta() -> bytes:
    """The first number of the meta information has three bytes."""
    whole = made(SMALL)
    return whole[132:138] + b"\3\0" + whole[140:]


def _open_bracket() -> bytes:
    packed = zipfile.ZipFile(io.BytesIO(array_header("{'descr': '<f8', 'shape': (((")))
    return packed.read("imgs.npy")


FOUND: dict[str, Callable[[], bytes]] = {
    "dicom": _torn_meta,
    "npz": _open_bracket,
    "zip": lambda: archive(("", b"a file without a name")),
    "zip cut in front": lambda: archive(("a", bytes(300)))[200:],
}
