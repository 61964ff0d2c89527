"""An image or a volume as slices of grey levels, in its full size."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service import volume as volumes
from ml_service.prompts.compact import Plane
from ml_service.tasks.ct_tissue import in_hounsfield_units
from ml_service.volume import Volume

_PICTURES = (b"\x89PNG", b"\xff\xd8")
_AS_STORED = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION


class Study:
    """`shape` is (rows, columns) of an image, (slices, rows, columns) of a volume. A slice runs across the stored
    array's last axis: its rows are axis 1, its columns axis 0."""

    def __init__(self, content: "Plane | Volume", sha256: str) -> None:
        self._content = content
        self.sha256 = sha256
        self.volume = content if isinstance(content, Volume) else None
        self.shape: tuple[int, ...] = content.values.shape if isinstance(content, Volume) else content.shape
        self.hounsfield = self.volume is not None and in_hounsfield_units(self.volume)

    @property
    def slices(self) -> int:
        """How many slices there are; an image is one."""
        return self.shape[0] if self.volume else 1

    @property
    def size_bytes(self) -> int:
        """What it takes in memory."""
        content = self._content
        return int(content.values.nbytes if isinstance(content, Volume) else content.nbytes)

    def plane(self, z: int) -> Plane:
        """Returns one slice's levels, (rows, columns)."""
        content = self._content
        return content.levels(z, 0) if isinstance(content, Volume) else content


def read(study: bytes, sha256: str) -> Study:
    """Returns the study of a PNG, a JPEG or a NIfTI volume. Raises ValueError for anything else."""
    if not study.startswith(_PICTURES):
        return Study(_sound(volumes.read(study)), sha256)
    plane = cv2.imdecode(np.frombuffer(study, np.uint8), _AS_STORED)
    if plane is None:
        raise ValueError(f"Expected an image or a volume. Received: {len(study)} bytes that do not decode")
    levels: NDArray[np.float32] = plane.astype(np.float32)
    return Study(levels, sha256)


def _sound(volume: Volume) -> Volume:
    """Raises ValueError for a volume with a level that is no number: there is no telling what lies around it."""
    if volume.values.dtype.kind == "f" and not np.isfinite(volume.values).all():
        raise ValueError("Expected a volume of finite numbers.")
    return volume
