"""What a run's weights began as: for its config.json, and in words for the card."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ml_service.manifest import WEIGHTS

START, CONTRASTED = "start", "temperature"  # the latter is said of runs without labels alone (pretrain.py)
START_HASH, TEACHERS = "start_sha256", "teachers_sha256"


def taught_by(folders: Sequence[Path]) -> dict[str, list[str]]:
    """Returns the hashes of the weights of a run's teachers (`teachers.py`). No path, as below."""
    return {TEACHERS: [_hash(folder / WEIGHTS) for folder in folders]} if folders else {}


def began_with(weights: Path) -> dict[str, Any]:
    """Returns the hash of the weights that a run goes on from, and all that the run which made them says of itself, if
    they lie in its folder. No path: it may name a person's machine."""
    made_by = weights.parent / "config.json"
    known = {START: json.loads(made_by.read_text(encoding="utf-8"))} if made_by.exists() else {}
    return {START_HASH: _hash(weights), **known}


def still(recorded: Path, origin: dict[str, Any]) -> dict[str, Any]:
    """Returns where a run that goes on came from, as it is on record. Raises ValueError for other teachers."""
    known = json.loads(recorded.read_text(encoding="utf-8")) if recorded.exists() else {}
    before, now = (len(said.get(TEACHERS, [])) for said in (known, origin))
    if known and known.get(TEACHERS) != origin.get(TEACHERS):
        raise ValueError(f"Expected the teachers that the run began with, {before}. Received: {now} or others")
    return origin | {name: known[name] for name in (START, START_HASH) if name in known}


def in_words(config: dict[str, Any], images: str) -> str:
    """Returns how training began, to follow "trained"; `images` is what one calls several of them."""
    return _start(config, images) + _teachers(config.get(TEACHERS, []))


def _start(config: dict[str, Any], images: str) -> str:
    if START_HASH not in config:
        return "from scratch"
    first, epochs = config, 0
    while START in first:
        epochs += sum(phase["epochs"] for phase in first["phases"])
        first = first[START]
    if CONTRASTED not in first:
        return "from an earlier version's weights"
    (phase,) = first["phases"]
    return (
        f"for {epochs} epochs after {phase['epochs']} at {phase['side']} pixels on {first['films']:,} {images} without "
        "their labels"
    )


def _teachers(hashes: list[str]) -> str:
    if not hashes:
        return ""
    whose = "another network" if len(hashes) == 1 else f"{len(hashes)} other networks"
    return f", half of each target the mean answer of {whose} to the image and to its mirror image"


def _hash(weights: Path) -> str:
    return hashlib.sha256(weights.read_bytes()).hexdigest()
