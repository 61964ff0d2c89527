"""The part of a card that says what another framing of the images does to the answers."""

from typing import Any

from ml_service.training.facts import Facts
from ml_service.training.framing import FRAMINGS
from ml_service.training.markdown import plain, table


def framing_section(found: dict[str, Any] | None, about: Facts) -> str:
    """Returns the card's section; nothing for a version that was not measured."""
    if not found:
        return ""
    framings = {name: found[name] for name in FRAMINGS}
    classes = list(framings["as they are"]["sensitivity"])
    rows = [
        [
            name,
            *(plain(one[key]) for key in ("auc", "accuracy")),
            *(plain(one["sensitivity"][label]) for label in classes),
            plain(one["refused_share"]),
        ]
        for name, one in framings.items()
    ]
    return (
        "## Does the framing sway it?\n\n"
        f"How wide the picture was taken says nothing of an illness. The {found['n']} validation {about.images}, "
        "as they are and cut to another shape before they are squashed: how many are answered rightly, of each class "
        "and in all, were none refused, and how many are refused. Where the limit of refusal was fitted "
        "on all three framings, the last column flatters:\n\n"
        + table([about.images, "AUC", "accuracy", *classes, "refused"], rows)
    )
