"""Which site calibration is in force, as SQL has it: at most half a second old, in every process."""

import time

from sqlalchemy import Engine

from app_service.domain.site import SiteCalibration
from app_service.storage.database import reading
from app_service.storage.site_calibrations import in_force

_FRESH_S = 0.5  # "back to the shipped values" takes effect within a second, on whichever host the next job begins


class CalibrationBook:
    """Safe to share between threads: a race costs one more query."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._in_force: dict[tuple[str, str], SiteCalibration] = {}
        self._read_at = float("-inf")

    def of(self, model: str, version: str) -> SiteCalibration | None:
        """A version's site calibration; None: as shipped."""
        if time.monotonic() - self._read_at > _FRESH_S:
            with reading(self._engine) as connection:
                self._in_force = in_force(connection)
            self._read_at = time.monotonic()
        return self._in_force.get((model, version))
