"""One DICOM file: a picture becomes an image study, frames that lie in space become a volume."""

from app_service.intake.dicom_header import number_of_frames, read_header
from app_service.intake.dicom_image import image_study
from app_service.intake.image import Picture
from app_service.intake.limits import Limits
from app_service.intake.package import packed
from app_service.intake.refusals import multiframe


def from_dicom(data: bytes, limits: Limits) -> Picture:
    """Raises Unprocessable with the codes of `dicom_header`, `dicom_pixels` and `dicom_volume`."""
    header = read_header(data, limits)
    if number_of_frames(header) > 1:
        raise multiframe()
    return packed([image_study(header)])
