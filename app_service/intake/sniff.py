"""What a file is, by its first bytes alone. The name and the sender's Content-Type play no part.

Adding an accepted format is one row with its media type, and its parser in `image.PARSERS` or `medical.FORMATS`.
"""

from dataclasses import dataclass
from pathlib import Path

from portal_wire.errors import BadRequest, PortalError, Unprocessable

HEAD_BYTES = 1024
ACCEPTED = "PNG, JPEG, DICOM, NIfTI and NPZ files, and ZIP archives of them"


@dataclass(frozen=True)
class Kind:
    """A recognised kind of file: `magic` stands at `offset`. `media_type` is None where we do not take it."""

    name: str
    magic: bytes
    offset: int = 0
    media_type: str | None = None


KINDS = (
    Kind("PNG picture", b"\x89PNG\r\n\x1a\n", media_type="image/png"),
    Kind("JPEG picture", b"\xff\xd8\xff", media_type="image/jpeg"),
    # Before all that is refused: the 128 bytes in front may imitate any other kind (CVE-2019-11687). They are not kept.
    Kind("DICOM file", b"DICM", 128, media_type="application/dicom"),
    Kind("NIfTI volume", b"n+1\0", 344, media_type="application/x-nifti"),
    Kind("NIfTI volume", b"n+2\0", 4, media_type="application/x-nifti"),
    Kind("gzip file, perhaps a NIfTI volume", b"\x1f\x8b", media_type="application/gzip"),
    Kind("ZIP archive or NPZ file", b"PK\x03\x04", media_type="application/zip"),
    Kind("header of a NIfTI pair (.hdr and .img); save the volume as one .nii file", b"ni1\0", 344),
    Kind("header of a NIfTI pair (.hdr and .img); save the volume as one .nii file", b"ni2\0", 4),
    Kind("empty ZIP archive", b"PK\x05\x06"),
    Kind("NumPy array", b"\x93NUMPY"),
    Kind("NRRD volume", b"NRRD000"),
    Kind("MetaImage volume", b"ObjectType"),
    Kind("HDF5 file", b"\x89HDF\r\n\x1a\n"),
    Kind("TIFF picture", b"II*\0"),
    Kind("TIFF picture", b"MM\0*"),
    Kind("TIFF picture", b"II+\0"),
    Kind("GIF picture", b"GIF8"),
    Kind("BMP picture", b"BM"),
    Kind("WebP picture", b"WEBP", 8),
    Kind("HEIC or AVIF picture, or a film", b"ftyp", 4),
    Kind("JPEG 2000 picture", b"\0\0\0\x0cjP  "),
    Kind("JPEG 2000 picture", b"\xff\x4f\xff\x51"),
    Kind("JPEG XL picture", b"\0\0\0\x0cJXL "),
    Kind("JPEG XL picture", b"\xff\x0a"),
    Kind("Photoshop picture", b"8BPS"),
    Kind("FITS picture", b"SIMPLE  ="),
    Kind("PostScript document", b"%!PS"),
    Kind("PDF document", b"%PDF-"),
    Kind("RAR archive", b"Rar!"),
    Kind("7-Zip archive", b"7z\xbc\xaf\x27\x1c"),
)
# Never a study under any name: these are answered as something else than what was meant to be sent.
FOREIGN = (
    Kind("Windows program", b"MZ"),
    Kind("Linux program", b"\x7fELF"),
    Kind("script", b"#!"),
)
# What a name says, where it says anything: it decides nothing, but a name that is wrong may be that of another file.
ENDINGS = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".dcm": "application/dicom",
    ".nii": "application/x-nifti",
    ".gz": "application/gzip",
    ".zip": "application/zip",
    ".npz": "application/zip",
}
NAMED_OTHERWISE = "named_otherwise"


def sniff(head: bytes) -> Kind:
    """The accepted kind of a file that begins with `head` (at least HEAD_BYTES, or the whole file).

    Raises BadRequest `empty_file`, and Unprocessable `type_not_allowed` (a kind that we know and do not take) or
    `type_mismatch` (no medical picture at all).
    """
    if not head:
        raise BadRequest("The file is empty: it has 0 bytes.", code="empty_file")
    for kind in KINDS:
        if head.startswith(kind.magic, kind.offset):
            if kind.media_type is None:
                raise _not_allowed(kind.name)
            return kind
    for kind in FOREIGN:
        if head.startswith(kind.magic):
            raise _mismatch(f"a {kind.name}")
    if b"<svg" in head.lower():
        raise _not_allowed("SVG drawing")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise _mismatch("a web page or XML text")
    raise _mismatch("of no kind that is known here")


def is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def named_otherwise(name: str, path: Path) -> bool:
    """Whether the file at `path`, which intake has taken, is called `name` after another format."""
    said = ENDINGS.get(Path(name).suffix.lower())
    if said is None:
        return False
    with path.open("rb") as file:
        return sniff(file.read(HEAD_BYTES)).media_type != said


def _not_allowed(name: str) -> PortalError:
    return Unprocessable(f"This file is a {name}. Accepted are {ACCEPTED}.", code="type_not_allowed")


def _mismatch(what: str) -> PortalError:
    return Unprocessable(
        f"This file is no medical picture: its content is {what}. Accepted are {ACCEPTED}.", code="type_mismatch"
    )
