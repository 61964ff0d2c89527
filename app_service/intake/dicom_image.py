"""One frame of a DICOM file as an image study: an X-ray, a photograph, or a slice that came alone."""

from pydicom.dataset import Dataset, FileDataset

from app_service.intake.dicom_header import modality, positive
from app_service.intake.dicom_pixels import colours, frame, grey_levels
from app_service.intake.package import Facts
from app_service.intake.pixels import Pixels, encode_png, grey_if_equal

Made = tuple[Facts, list[bytes]]


def image_study(header: FileDataset, index: int = 0, meaning: Dataset | None = None) -> Made:
    """Frame `index` as PNG. `meaning` is the header of this very frame, where it has one of its own.

    Raises Unprocessable with the codes of `dicom_pixels`.
    """
    meaning = header if meaning is None else meaning
    stored = frame(header, index)
    pixels: Pixels = grey_levels(stored, meaning) if stored.ndim == 2 and _grey(header) else colours(stored, header)
    pixels = grey_if_equal(pixels)
    spacing = positive(meaning.get("PixelSpacing"), 2) or positive(meaning.get("ImagerPixelSpacing"), 2)
    found = (
        ("burned_in", header.get("BurnedInAnnotation") == "YES"),
        ("low_quality", bool(pixels.min() == pixels.max())),
    )
    body = encode_png(pixels)
    facts = Facts(
        kind="image",
        modality=modality(header),
        shape=pixels.shape,
        spacing_mm=spacing,  # of rows, of columns: the order of DICOM's PixelSpacing
        media_type="image/png",
        warnings=[code for code, holds in found if holds],
        size_bytes=len(body),
    )
    return facts, [body]


def _grey(header: Dataset) -> bool:
    return str(header.PhotometricInterpretation).startswith("MONOCHROME")
