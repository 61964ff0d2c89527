"""What a run folder says of how it came about: config.json and environment.json."""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import tensorflow as tf

CHECKOUT = Path(__file__).parents[2]
UNKNOWN = "unknown"


def record(run: Path, config: Mapping[str, Any]) -> None:
    """Writes the run's configuration, and when and with what software it began. No path and no name: a run folder
    may be shown to others."""
    (run / "config.json").write_text(json.dumps(config, indent=1))
    environment = {
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(CHECKOUT),
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),  # that this run may use: their number changes the order of sums
    }
    (run / "environment.json").write_text(json.dumps(environment, indent=1))


def commit(checkout: Path) -> str:
    """Returns the commit that is checked out, with "-dirty" where tracked files differ from it; "unknown" without git,
    or where the code was unpacked without its history."""
    git = shutil.which("git")
    if git is None:
        return UNKNOWN
    asked = [git, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    # Not further up: a repository that the code merely lies in is another one.
    there = os.environ | {"GIT_CEILING_DIRECTORIES": str(checkout.resolve().parent)}
    done = subprocess.run(asked, cwd=checkout, env=there, capture_output=True, text=True, check=False)  # noqa: S603 (our own words)
    return done.stdout.strip() if done.returncode == 0 else UNKNOWN
