"""What each version of a model is for: one answers, at most one reads along as its shadow, some are retired."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace

from portal_wire.contract import Model, Result, VersionState
from portal_wire.errors import Conflict


@dataclass(frozen=True)
class Roles:
    """The roles of one model's versions. A version that has none is available: it may be asked for by name."""

    active: str
    shadow: str | None = None
    retired: tuple[str, ...] = ()

    def of(self, version: str) -> VersionState:
        """What a version is for."""
        if version == self.active:
            return "active"
        if version == self.shadow:
            return "shadow"
        return "retired" if version in self.retired else "available"

    def changed(self, version: str, state: VersionState) -> "Roles":
        """The roles once `version` is in `state`; a version whose place it takes becomes available.

        Raises Conflict when the active version would be left without a successor.
        """
        if version == self.active and state != "active":
            raise Conflict("This version answers now. Activate another one first.", code="version_is_active")
        free = replace(
            self,
            shadow=None if version == self.shadow else self.shadow,
            retired=tuple(other for other in self.retired if other != version),
        )
        if state == "active":
            return replace(free, active=version)
        if state == "shadow":
            return replace(free, shadow=version)
        return replace(free, retired=(*free.retired, version)) if state == "retired" else free


def newest_of(model: Model, ready: Set[tuple[str, str]]) -> str | None:
    """The newest version out of `ready`, (name, version). `model.versions` come in rising order."""
    return next((one.version for one in reversed(model.versions) if (model.name, one.version) in ready), None)


def in_roles(models: Iterable[Model], roles: Mapping[str, Roles]) -> list[Model]:
    """The models with each version's state; one without roles stays as the ML tier describes it."""
    return [_in_roles(model, roles[model.name]) if model.name in roles else model for model in models]


def _in_roles(model: Model, roles: Roles) -> Model:
    versions = [one.model_copy(update={"state": roles.of(one.version)}) for one in model.versions]
    return model.model_copy(update={"active_version": roles.active, "versions": versions})


def compared(answer: Result, shadow: Result) -> tuple[bool, float | None]:
    """Whether both say the same label, and the mean absolute difference of the probabilities that both gave."""
    theirs = {finding.label: finding.probability for finding in shadow.findings}
    gaps = [abs(one.probability - theirs[one.label]) for one in answer.findings if one.label in theirs]
    return answer.label == shadow.label, sum(gaps) / len(gaps) if gaps else None
