"""Intake's readers of headers, each as bytes to anything, and the ends that are allowed."""

from collections.abc import Callable
from typing import Any

from app_service.intake import archive, dicom_header, jpeg, nifti, npz, png, sniff
from app_service.intake.limits import Limits
from portal_wire.errors import PortalError

LIMITS = Limits(max_pixels=10**6, max_voxels=10**6)
# The sandbox's child makes a refusal of the last two.
ALLOWED = (PortalError, RecursionError, MemoryError)


def dicom(data: bytes) -> None:
    dicom_header.read_header(b"\0" * 128 + b"DICM" + data, LIMITS)


def zipped(data: bytes) -> None:
    opened = archive.open_archive(data)
    for entry in archive.entries(opened):
        archive.member(opened, entry.place)


READERS: dict[str, Callable[[bytes], Any]] = {
    "sniff": lambda data: sniff.sniff(data[: sniff.HEAD_BYTES]),
    "png": lambda data: png.read_png(b"\x89PNG\r\n\x1a\n" + data, LIMITS),
    "jpeg": lambda data: jpeg.read_jpeg(b"\xff\xd8" + data, LIMITS),
    "dicom": dicom,
    "nifti": lambda data: nifti.from_nifti(data, LIMITS),
    "gzip": lambda data: nifti.from_gzip(data, LIMITS),
    "npz": lambda data: npz._array(data),
    "zip": zipped,
}
