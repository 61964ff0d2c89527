"""The part of a card that says how a version's sums are rounded where it is served, and what that changes."""

from typing import Any

from ml_service.training.facts import Facts

WORDS = {"bf16": "bfloat16", "int8": "8 bits"}
NAMES = {"auc": "AUC", "accuracy": "accuracy", "refused_share": "share refused"}


def precision_section(found: dict[str, Any] | None, about: Facts) -> str:
    """Returns the section, or nothing for a version that is served in float32. `found` is what `benchmarks.engines`
    measured on validation images: `images`, `other_answers` (share), and each of NAMES as [float32, served]."""
    if not found or found["precision"] == "f32":
        return ""
    changes = "; ".join(
        f"{name} {found[key][1]:.4f} where float32 has {found[key][0]:.4f} ({found[key][1] - found[key][0]:+.4f})"
        for key, name in NAMES.items()
    )
    words = WORDS[found["precision"]]
    others = round(found["other_answers"] * found["images"])
    return (
        f"## Served in {words}\n\nEvery score above is of float32. Where the processor can, this version is served "
        f"in {words}, which takes {found['time_share']:.0%} of the time. On the {found['images']} validation "
        f"{about.images} that gives {changes}, and another answer for {others}. Test was not read for this.\n"
    )
