"""What a run folder says of how it came about: config.json and environment.json."""

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf


def record(run: Path, config: Mapping[str, Any]) -> None:
    """Writes the run's configuration, and when and with what software it began. No path and no name: a run folder
    may be shown to others."""
    (run / "config.json").write_text(json.dumps(config, indent=1))
    environment = {
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "machine": platform.machine(),
    }
    (run / "environment.json").write_text(json.dumps(environment, indent=1))
