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


def _later(module: str, name: str) -> Callable[[bytes, Limits], Any]:
    """The parser `name` of a module that is loaded at the first call. Raises what it raises, in silence."""

    def parse(data: bytes, limits: Limits) -> Any:
        with quiet():
            try:
                return getattr(import_module(f"app_service.intake.{module}"), name)(data, limits)
            except RecursionError as error:
                raise too_deep() from error

    return parse


FORMATS = {
    "application/dicom": _later("dicom", "from_dicom"),
    "application/x-nifti": _later("nifti", "from_nifti"),
    "application/gzip": _later("nifti", "from_gzip"),
    "application/zip": _later("collection", "from_zip"),
}
