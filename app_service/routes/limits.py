"""What an upload may be, so that a page can say so before anyone waits for nothing."""

from apiflask import APIBlueprint

from app_service.accounts.bearer import bearer
from app_service.intake.dicom_names import TRANSFER_SYNTAXES
from app_service.parts import parts
from portal_wire.contract import Limits

limits = APIBlueprint("limits", __name__, tag="Studies")
# DICOM's by PS3.18 8.7.3: one entry for each transfer syntax.
MEDIA_TYPES = [
    *("image/png", "image/jpeg"),
    *("application/x-nifti", "application/gzip", "application/zip"),
    *(f"application/dicom; transfer-syntax={syntax}" for syntax in TRANSFER_SYNTAXES),
]


@limits.get("/v1/limits")
@limits.auth_required(bearer)
@limits.output(Limits)
def shown() -> Limits:
    """Sizes, counts and types that are accepted."""
    settings = parts().settings
    return Limits(
        max_file_bytes=settings.max_file_bytes,
        max_pixels=settings.intake.limits.max_pixels,
        max_files_per_upload=settings.max_files_per_upload,
        media_types=MEDIA_TYPES,
    )
