"""An image or a volume as slices of grey levels, in its full size, and those that are held for the next box."""

import hashlib
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service import volume as volumes
from ml_service.prompts.compact import Plane
from ml_service.prompts.least_recent import LeastRecent
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

    @cached_property
    def hounsfield(self) -> bool:
        """Whether it is a volume in Hounsfield units."""
        return self.volume is not None and in_hounsfield_units(self.volume)

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


class Studies:
    """The studies that were read last, by the SHA-256 of their bytes, as long as there is room. One store for all
    versions of this process: the first box on a volume finds what an earlier model has read."""

    def __init__(self, most_bytes: int) -> None:
        self._kept: LeastRecent[Study] = LeastRecent(most_bytes)

    def get(self, sha256: str) -> Study | None:
        """Returns a study that is held; None: it is not."""
        return self._kept.get(sha256)

    def read(self, study: bytes) -> Study:
        """Returns the study of a PNG, a JPEG or a NIfTI volume, and holds it. Raises ValueError for anything else."""
        sha256 = hashlib.sha256(study).hexdigest()
        if held := self.get(sha256):
            return held
        content = _picture(study) if study.startswith(_PICTURES) else volumes.read(study)
        if isinstance(content, Volume) and not _finite(content):
            raise ValueError("Expected a volume of finite numbers.")  # no telling what lies around another
        return self._hold(content, sha256)

    def hold(self, study: bytes, volume: Volume) -> None:
        """Keeps a volume that somebody has read from `study`, if boxes can be drawn on it."""
        if _finite(volume):
            self._hold(volume, hashlib.sha256(study).hexdigest())

    def _hold(self, content: "Plane | Volume", sha256: str) -> Study:
        study = Study(content, sha256)
        self._kept.put(sha256, study, study.size_bytes)
        return study


def _picture(study: bytes) -> Plane:
    plane = cv2.imdecode(np.frombuffer(study, np.uint8), _AS_STORED)
    if plane is None:
        raise ValueError(f"Expected an image or a volume. Received: {len(study)} bytes that do not decode")
    levels: NDArray[np.float32] = plane.astype(np.float32)
    return levels


def _finite(volume: Volume) -> bool:
    return volume.values.dtype.kind != "f" or bool(np.isfinite(volume.values).all())
