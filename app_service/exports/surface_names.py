"""Which surfaces a job's masks can be shown as; they are made when somebody asks (`surface.py`)."""

from collections.abc import Container, Iterable

from app_service.masks.structures import file_name
from portal_wire.contract import Measurement

STL = "model/stl"
_FOLDER, _ENDING = "surfaces/", ".stl"


def surfaces(measurements: Iterable[Measurement], kept: Container[str]) -> dict[str, str]:
    """Names and media types: a surface for each structure of a volume that has a voxel, and a mask among `kept`."""
    plain = [file_name(each.label) for each in measurements if each.voxels]
    return {f"{_FOLDER}{name}{_ENDING}": STL for name in plain if f"segmentations/{name}.nii.gz" in kept}


def mask_of(name: str) -> str | None:
    """The mask that a surface is made of; None for the name of another file."""
    if not (name.startswith(_FOLDER) and name.endswith(_ENDING)):
        return None
    return f"segmentations/{name.removeprefix(_FOLDER).removesuffix(_ENDING)}.nii.gz"
