"""The worklist's rows: a study beside the job that answers for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from portal_wire.contract import Job, Study


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
    """The newest of one study's jobs; one that only measured stands back behind any other: sizes hide no finding."""
    return max(jobs, key=lambda job: (job.result is None or not job.result.measurements, job.id), default=None)
