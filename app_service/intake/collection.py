"""A ZIP archive: one NPZ file, or any number of files, among them series of DICOM slices."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO

from pydicom.dataset import FileDataset

from app_service.intake.archive import Entry, entries, member, open_archive, part_of
from app_service.intake.dicom import Load, studies_of
from app_service.intake.dicom_header import read_header, without_pixels
from app_service.intake.dicom_image import Made
from app_service.intake.image import Picture, from_jpeg, from_png
from app_service.intake.limits import Limits
from app_service.intake.nifti import read_gzip, read_volume
from app_service.intake.npz import IMAGES, from_npz
from app_service.intake.package import Facts, Refused, packed
from app_service.intake.refusals import corrupt, too_deep
from app_service.intake.sniff import HEAD_BYTES, sniff
from app_service.intake.volume import study_of
from portal_wire.errors import PortalError, Unprocessable

DIRECTORY = "DICOMDIR"  # an index that a CD has beside its files
PICTURES = {"image/png": from_png, "image/jpeg": from_jpeg}


def from_zip(data: bytes, limits: Limits) -> Picture:
    """Raises Unprocessable with the codes of `archive`, and the refusal of its first file when there is no study in
    it at all."""
    archive = open_archive(data)
    if IMAGES in archive.namelist():
        return from_npz(archive, limits)
    studies: list[tuple[Made, list[Entry]]] = []
    refused: list[Refused] = []
    series: dict[str, list[tuple[Entry, FileDataset]]] = {}
    for entry in entries(archive):
        if entry.name.upper() == DIRECTORY:
            continue
        with _noted(entry.name, refused):
            content = member(archive, entry.place)
            kind = sniff(content[:HEAD_BYTES]).media_type or ""
            if kind == "application/dicom":
                header = without_pixels(read_header(content, limits))
                series.setdefault(str(header.get("SeriesInstanceUID", entry.place.header_offset)), []).append(
                    (entry, header)
                )
            else:
                studies.append((_other(kind, content, limits), [entry]))
    for files in series.values():
        with _noted(files[0][0].name, refused):
            again = [(header, partial(_read_again, archive, entry, limits)) for entry, header in files]
            entry_of: dict[Load, Entry] = {load: entry for (_, load), (entry, _) in zip(again, files, strict=True)}
            studies += [(made, [entry_of[load] for load in loads]) for made, loads in studies_of(again, limits)]
    if len(studies) == 1:
        return packed([made for made, _ in studies], refused)
    if studies:
        return packed([_with_its_own(made, archive, data, files) for made, files in studies], refused)
    if refused:
        raise Unprocessable(refused[0].detail, code=refused[0].code)
    raise Unprocessable("The archive holds no file.", code="no_image")


def _with_its_own(made: Made, archive: zipfile.ZipFile, data: bytes, files: list[Entry]) -> Made:
    """Each study keeps its own files alone: the others may be another patient's, and a copy of all for each of a
    thousand would fill the disk."""
    facts, bodies = made
    own, directory = part_of(archive, data, files)
    return facts.model_copy(update={"own": own, "directory_bytes": len(directory)}), [*bodies, directory]


@contextmanager
def _noted(name: str, refused: list[Refused]) -> Iterator[None]:
    """A file that cannot be read, whatever a library says of it, is noted and does not keep the others out."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as caught:
        error = _refusal(caught)
        if error.status >= 500:
            raise
        refused.append(Refused(name=name, code=error.code, detail=error.detail))


def _refusal(caught: Exception) -> PortalError:
    if isinstance(caught, PortalError):
        return caught
    return too_deep() if isinstance(caught, RecursionError) else corrupt("It cannot be read.")


def _read_again(archive: zipfile.ZipFile, entry: Entry, limits: Limits) -> FileDataset:
    return read_header(member(archive, entry.place), limits)


def _other(kind: str, content: bytes, limits: Limits) -> Made:
    if kind == "application/x-nifti":
        return study_of(read_volume(BytesIO(content), limits), limits)
    if kind == "application/gzip":
        return study_of(read_gzip(content, limits), limits)
    if kind not in PICTURES:
        raise Unprocessable("An archive in the archive is not opened.", code="archive_unsafe")
    picture = PICTURES[kind](content, limits)
    facts = Facts(
        kind="image",
        modality="OT",
        shape=picture.shape,
        spacing_mm=None,
        media_type="image/png" if picture.media_type == "image/png" else "image/jpeg",
        warnings=picture.warnings,
        size_bytes=len(picture.body),
    )
    return facts, [bytes(picture.body)]
