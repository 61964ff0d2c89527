"""The versions of a model as lines of a table, and what each change of one would mean, in words."""

from dataclasses import dataclass

from portal_wire.contract import Model, ModelVersion, VersionState
from ui_service.figures import Figure, headline

STATES: dict[VersionState, tuple[str, str]] = {
    "active": ("●", "Answers"),
    "shadow": ("◐", "Shadow"),
    "available": ("○", "Available"),
    "retired": ("⊘", "Retired"),
}
VERBS: dict[VersionState, str] = {"active": "Activate", "shadow": "Shadow", "retired": "Retire"}
_CHANGES: dict[VersionState, tuple[VersionState, ...]] = {
    "active": (),
    "shadow": ("active", "available", "retired"),
    "available": ("active", "shadow", "retired"),
    "retired": ("available",),
}


@dataclass(frozen=True)
class Line:
    """One version; `newer` than the one that answers; `changes` are what an admin may make of it."""

    version: ModelVersion
    newer: bool
    scores: list[Figure]
    changes: tuple[VersionState, ...]


def lines(model: Model) -> list[Line]:
    """The newest first."""
    order = [one.version for one in model.versions]
    active = order.index(model.active_version) if model.active_version in order else len(order)
    return [
        Line(one, place > active, headline(one.metrics), _CHANGES[one.state])
        for place, one in reversed(list(enumerate(model.versions)))
    ]


def verb(version: ModelVersion, state: VersionState) -> str:
    """What stands on the button."""
    if state == "available":
        return "Stop the shadow" if version.state == "shadow" else "Make available"
    return VERBS[state]


def consequences(model: Model, version: ModelVersion, state: VersionState) -> list[str]:
    """What changes, and what stays, when `version` gets `state`: the sentences that an admin confirms."""
    new, old = version.version, model.active_version
    other = next((one.version for one in model.versions if one.state == "shadow" and one is not version), None)
    if state == "active":
        said = [f"Version {new} answers every new image from now on, in place of version {old}."]
        said += [f"Version {new} no longer reads along as the shadow."] if version.state == "shadow" else []
        return [*said, f"Images that already wait are still answered by version {old}. No given answer changes."]
    if state == "shadow":
        said = [f"Version {new} also reads every image that version {old} answers, after it was answered."]
        said += [f"Version {other} no longer reads along."] if other else []
        return [*said, "What it says is counted for comparison and is never shown as an answer."]
    if state == "retired":
        said = [f"Nobody can run version {new} any more; runs that already wait are finished."]
        said += [f"Version {new} no longer reads along as the shadow."] if version.state == "shadow" else []
        return [*said, f"Version {old} goes on answering. Answers that version {new} has given stay."]
    if version.state == "shadow":
        return [f"Version {new} no longer reads along. What was counted stays."]
    return [f"Version {new} may be run by name again. It answers nothing by itself."]
