"""What a run's weights began as: for its config.json, and in words for the card."""

import hashlib
import json
from pathlib import Path
from typing import Any

START, CONTRASTED = "start", "temperature"  # the latter is said of runs without labels alone (pretrain.py)


def began_with(weights: Path) -> dict[str, Any]:
    """Returns the hash of the weights that a run goes on from, and all that the run which made them says of itself, if
    they lie in its folder. No path: it may name a person's machine."""
    made_by = weights.parent / "config.json"
    known = {START: json.loads(made_by.read_text(encoding="utf-8"))} if made_by.exists() else {}
    return {"start_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(), **known}


def in_words(config: dict[str, Any], images: str) -> str:
    """Returns how training began, to follow "trained"; `images` is what one calls several of them."""
    if "start_sha256" not in config:
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
