"""The medical formats. Their libraries take a quarter of a second to load, so a child loads them when its file needs
them: pictures, which are most of what comes, stay cheap.

Adding a format is one row here and one in `sniff.KINDS`.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from app_service.intake.limits import Limits
from app_service.intake.quiet import quiet
from app_service.intake.refusals import too_deep

SEG_REQUEST = "application/vnd.lightbox.seg-request"
DEIDENTIFY_REQUEST = "application/vnd.lightbox.deidentify-request"
SURFACE_REQUEST = "application/vnd.lightbox.surface-request"


def _later(module: str, name: str) -> Callable[[bytes, Limits], Any]:
    """The parser `name` of a module that is loaded at the first call. Raises what it raises, in silence."""

    def parse(data: bytes, limits: Limits) -> Any:
        with quiet():
            try:
                return getattr(import_module(f"app_service.{module}"), name)(data, limits)
            except RecursionError as error:
                raise too_deep() from error

    return parse


FORMATS = {
    "application/dicom": _later("intake.dicom", "from_dicom"),
    "application/x-nifti": _later("intake.nifti", "from_nifti"),
    "application/gzip": _later("intake.nifti", "from_gzip"),
    "application/zip": _later("intake.collection", "from_zip"),
    # What the worker and App ask; no upload is ever taken for one.
    SEG_REQUEST: _later("exports.dicom_seg", "from_request"),
    DEIDENTIFY_REQUEST: _later("exports.deidentify", "from_request"),
    SURFACE_REQUEST: _later("exports.surface", "from_request"),
}
