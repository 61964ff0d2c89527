"""Every look at a test split, written down: each look wears the split out a little."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE = "readings.json"  # in a run folder; a version has them in metrics.json, under "readings"


def reading(version: str, reason: str, found: dict[str, Any]) -> dict[str, Any]:
    """Returns an entry from a set's scores (value and interval, or a plain number)."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": version,
        "reason": reason,
        **{name: _value(found[name]) for name in ("auc", "accuracy")},
    }


def of_run(run: Path) -> list[dict[str, Any]]:
    """Returns the readings that a run folder has on record."""
    path = run / FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def add_to_run(run: Path, entry: dict[str, Any]) -> None:
    """Adds an entry to a run folder's record."""
    (run / FILE).write_text(json.dumps([*of_run(run), entry], indent=1) + "\n", encoding="utf-8")


def of_model(model: Path) -> list[dict[str, Any]]:
    """Returns the readings of every version of a model that is on disk, oldest first, each once."""
    found: list[dict[str, Any]] = []
    for metrics in sorted(model.glob("*/metrics.json")):
        for entry in json.loads(metrics.read_text(encoding="utf-8")).get("readings", []):
            if entry not in found:
                found.append(entry)
    return sorted(found, key=lambda entry: str(entry["date"]))


def _value(score: Any) -> float:
    return float(score["value"] if isinstance(score, dict) else score)
