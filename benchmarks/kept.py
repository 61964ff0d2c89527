"""Figures are kept as JSON, with what they were measured on."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from launcher.settings import REPOSITORY

RESULTS = Path(__file__).parent / "results"


def keep(name: str, found: dict[str, Any]) -> None:
    """Writes `found`, whose `machine` is that of `machine()`, to RESULTS and says where."""
    RESULTS.mkdir(exist_ok=True)
    kept = RESULTS / f"{name}.json"
    kept.write_text(json.dumps(found, indent=1) + "\n")
    print(f"kept in {kept.relative_to(REPOSITORY)}")


def machine() -> dict[str, Any]:
    """What runs the benchmark, and when."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    ).stdout.strip()
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ":")
    return {
        "commit": commit,
        "processor": model.partition(":")[2].strip(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def today() -> str:
    """The date in UTC, for a file's name."""
    return f"{datetime.now(UTC):%Y-%m-%d}"
