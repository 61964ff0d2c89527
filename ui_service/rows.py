"""The worklist's rows: a study beside the job that answers for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from portal_wire.contract import Job, Model, Study
from portal_wire.errors import NotFound


@dataclass(frozen=True)
class Row:
    """`job` is None where no model has run."""

    study: Study
    job: Job | None


def rows_of(studies: Sequence[Study], jobs: Sequence[Job]) -> list[Row]:
    """Each study with its own answering job; ids are UUIDv7, so the greatest is the newest."""
    own: dict[str, list[Job]] = {}
    for job in jobs:
        own.setdefault(job.study_id, []).append(job)
    return [Row(study, answering(own.get(study.id, []))) for study in studies]


def answering(jobs: Iterable[Job]) -> Job | None:
    """The newest of one study's jobs. One that only measured stands back behind any other: sizes hide no finding; and
    what a person's boxes brought stands back behind what a model said of its own."""

    def rank(job: Job) -> tuple[bool, bool, str]:
        return not job.prompts, job.result is None or not job.result.measurements, job.id

    return max(jobs, key=rank, default=None)


def chosen(jobs: Iterable[Job], job_id: str) -> Job:
    """One of a study's own jobs. Raises NotFound for any other."""
    for job in jobs:
        if job.id == job_id:
            return job
    raise NotFound("This image has no such run.")


def runnable(models: Iterable[Model]) -> list[Model]:
    """The models that need no boxes: what menus offer."""
    return [model for model in models if not model.prompted]


def offers_fast(models: Iterable[Model], names: Sequence[str]) -> bool:
    """Whether each of the models named has a fast setting: a form's tick stands beside a menu of all models."""
    fast = {model.name for model in models if model.fast}
    return fast.issuperset(names)


def prompter(models: Iterable[Model]) -> Model | None:
    """The model that outlines what a person draws boxes round, where one is ready to answer."""
    for model in models:
        versions = {each.version: each for each in model.versions}
        active = versions.get(model.active_version)
        if model.prompted and active is not None and not active.not_ready:
            return model
    return None
