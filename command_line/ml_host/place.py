"""Which host it is, and where to see whether there is work."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Exactly one of `instance_id` and `group` is set."""

    instance_id: str = ""
    group: str = ""
    start_document: str = ""
    portal: str = ""
    queue_url: str = ""
    idle_minutes: int = 15

    @classmethod
    def from_environment(cls) -> "Place":
        """Raises ValueError, which names the variable."""

        def told(name: str) -> str:
            return os.environ.get(f"LIGHTBOX_{name}", "")

        if bool(told("ML_INSTANCE_ID")) == bool(told("ML_GROUP")):
            raise ValueError("Expected one of LIGHTBOX_ML_INSTANCE_ID and LIGHTBOX_ML_GROUP.")
        minutes = told("IDLE_MINUTES") or "15"
        if not minutes.isdigit() or not 5 <= int(minutes) <= 1440:
            raise ValueError("LIGHTBOX_IDLE_MINUTES: expected 5 to 1440.")
        which = {"instance_id": told("ML_INSTANCE_ID"), "group": told("ML_GROUP")}
        seen = {"portal": told("PORTAL"), "queue_url": told("INCOMING_QUEUE")}
        return cls(**which, **seen, start_document=told("ML_START_DOCUMENT"), idle_minutes=int(minutes))
