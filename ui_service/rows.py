"""The worklist's rows: a study beside its newest job that answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal_wire.contract import Job, Study


@dataclass(frozen=True)
class Row:
    """`job` is None where no model has run."""

    study: Study
    job: Job | None


def rows_of(studies: Sequence[Study], jobs: Sequence[Job]) -> list[Row]:
    """Each study with the newest of its own jobs; ids are UUIDv7, so the greatest is the newest."""
    newest: dict[str, Job] = {}
    for job in sorted(jobs, key=lambda job: job.id):
        newest[job.study_id] = job
    return [Row(study, newest.get(study.id)) for study in studies]
