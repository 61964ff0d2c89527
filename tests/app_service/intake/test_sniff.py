"""The bytes decide what a file is; what is refused is named."""

import os

import pytest

from app_service.intake.sniff import sniff
from portal_wire.errors import BadRequest, Unprocessable

PREAMBLE = b"\0" * 128


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (PREAMBLE + b"DICM", "application/dicom"),
        (b"\x5c\x01\0\0" + b"\0" * 340 + b"n+1\0", "application/x-nifti"),
        (b"\x1c\x02\0\0n+2\0", "application/x-nifti"),
        (b"\x1f\x8b\x08\0", "application/gzip"),
        (b"PK\x03\x04", "application/zip"),
        (b"MZ" + PREAMBLE[2:] + b"DICM", "application/dicom"),
        (b"\x7fELF" + PREAMBLE[4:] + b"DICM", "application/dicom"),
    ],
)
def test_accepted(head: bytes, media_type: str) -> None:
    assert sniff(head).media_type == media_type


@pytest.mark.parametrize(
    ("head", "named"),
    [
        (b"\x5c\x01\0\0" + b"\0" * 340 + b"ni1\0", "header of a NIfTI pair"),
        (b"PK\x05\x06", "empty ZIP"),
        (b"\x93NUMPY\x01\0", "NumPy"),
        (b"II*\0", "TIFF"),
        (b"GIF89a", "GIF"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "WebP"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"%PDF-1.7", "PDF"),
        (b'<?xml version="1.0"?><SVG onload="x">', "SVG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "SVG"),
    ],
)
def test_known_but_not_taken(head: bytes, named: str) -> None:
    with pytest.raises(Unprocessable) as caught:
        sniff(head)
    assert caught.value.code == "type_not_allowed"
    assert named in caught.value.detail
    assert "PNG, JPEG, DICOM" in caught.value.detail


@pytest.mark.parametrize(
    ("head", "named"),
    [
        (b"MZ\x90\0", "Windows program"),
        (b"\x7fELF\x02", "Linux program"),
        (b"#!/bin/sh\n", "script"),
        (b"\xef\xbb\xbf <!DOCTYPE html>", "web page"),
        (b"<script>alert(1)</script>", "web page"),
        (b"\0" * 1024, "no kind"),
        (b"\x89PNG\r\n", "no kind"),
        (b"\xaa" + os.urandom(1023), "no kind"),
    ],
)
def test_no_picture_at_all(head: bytes, named: str) -> None:
    with pytest.raises(Unprocessable) as caught:
        sniff(head)
    assert caught.value.code == "type_mismatch"
    assert named in caught.value.detail


def test_empty() -> None:
    with pytest.raises(BadRequest) as caught:
        sniff(b"")
    assert caught.value.code == "empty_file"
