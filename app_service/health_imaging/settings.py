"""Where results are imported to."""

import os
import re
from dataclasses import dataclass

from portal_wire import env

_SHAPES = {
    "DATASTORE": (r"[0-9a-z]{32}", "the 32 digits and letters of a data store"),
    "ROLE": (
        r"arn:aws(-[^:]+)?:iam::[0-9]{12}:role/.+",
        "the ARN of the role by which HealthImaging reads and writes the folder",
    ),
    "FOLDER": (
        r"s3://[a-z0-9][.a-z0-9-]{1,61}[a-z0-9](/[\w./-]+)?",
        "s3://bucket/prefix for what goes in and what is told",
    ),
}


@dataclass(frozen=True)
class ImportSettings:
    """`folder` is s3://bucket/prefix without a slash at its end."""

    datastore: str
    role: str
    folder: str

    @classmethod
    def from_environment(cls) -> "ImportSettings | None":
        """None where no data store is named. Raises SettingsError."""
        if not os.environ.get("LIGHTBOX_HEALTHIMAGING_DATASTORE"):
            return None
        told = {
            "DATASTORE": env.text("LIGHTBOX_HEALTHIMAGING_DATASTORE"),
            "ROLE": env.text("LIGHTBOX_HEALTHIMAGING_ROLE"),
            "FOLDER": env.text("LIGHTBOX_HEALTHIMAGING_FOLDER").rstrip("/"),
        }
        for name, (shape, words) in _SHAPES.items():
            if not re.fullmatch(shape, told[name]):
                raise env.SettingsError(f"LIGHTBOX_HEALTHIMAGING_{name}: expected {words}.")
        return cls(*told.values())
