"""Several models' answers on one image: which of them say the same, which say otherwise, which say nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from portal_wire.contract import Job, JobState, Model, ModelVersion
from ui_service import words
from ui_service.words import Answer


@dataclass(frozen=True)
class Column:
    """One version's run. `model` and `version` are None when it is no longer served."""

    job: Job
    model: Model | None
    version: ModelVersion | None


@dataclass(frozen=True)
class Camp:
    """Runs that say the same."""

    said: Answer
    jobs: list[Job]


@dataclass
class Standing:
    """How the models of one task stand to each other. Only answers agree or disagree; `silent` ones do neither."""

    task: str
    camps: list[Camp] = field(default_factory=list)  # the largest first
    silent: list[Camp] = field(default_factory=list)  # ran, and gave no answer
    measured: list[Job] = field(default_factory=list)  # outlined structures, which is neither yes nor no
    broken: list[Job] = field(default_factory=list)  # failed or stopped
    open: list[Job] = field(default_factory=list)  # wait or run

    @property
    def verdict(self) -> str:
        """ "agree", "disagree", "alone" with one answer, or "none" without."""
        if len(self.camps) > 1:
            return "disagree"
        answers = len(self.camps[0].jobs) if self.camps else 0
        return "agree" if answers > 1 else "alone" if answers else "none"

    @property
    def sentence(self) -> str:
        """What stands so far, in words."""
        count = sum(len(camp.jobs) for camp in self.camps)
        first = self.camps[0].said.short if self.camps else ""
        said = {
            "agree": f"{'Both' if count == 2 else f'All {count}'} models that answered agree: {first}",
            "disagree": f"The {count} models that answered disagree",
            "alone": f"One model answered: {first}",
            "none": "No model has answered",
        }[self.verdict]
        if self.measured and self.verdict == "none":
            said = "Structures are outlined: look at the masks, which neither agree nor disagree"
        return f"{said} so far" if self.open else said


def newest_of_each(jobs: Iterable[Job]) -> list[Job]:
    """The newest job of every version, in the order of their names; ids are UUIDv7, so the greatest is the newest."""
    newest = {(job.model, job.version): job for job in sorted(jobs, key=lambda job: job.id)}
    return sorted(newest.values(), key=lambda job: (job.model, _number(job.version)))


def columns_of(jobs: Iterable[Job], models: Sequence[Model]) -> list[Column]:
    """Each job beside what is known of its version."""
    by_name = {model.name: model for model in models}
    return [Column(job, by_name.get(job.model), _version(by_name.get(job.model), job.version)) for job in jobs]


def standings(columns: Iterable[Column]) -> list[Standing]:
    """One for each task: "no pneumonia" and "no tumour" neither agree nor disagree."""
    found: dict[str, Standing] = {}
    for column in columns:
        task = column.model.task if column.model else column.job.model
        _place(found.setdefault(task, Standing(task)), column.job)
    for standing in found.values():
        standing.camps.sort(key=lambda camp: -len(camp.jobs))
    return list(found.values())


def _place(standing: Standing, job: Job) -> None:
    said = words.answer(job)
    if said is not None and said.kind == "measured":
        standing.measured.append(job)
    elif said is not None:
        camps = standing.silent if said.kind == "unanswered" else standing.camps
        for camp in camps:
            if (camp.said.kind, camp.said.short) == (said.kind, said.short):
                camp.jobs.append(job)
                return
        camps.append(Camp(said, [job]))
    elif job.state in (JobState.FAILED, JobState.CANCELLED):
        standing.broken.append(job)
    else:
        standing.open.append(job)


def _version(model: Model | None, version: str) -> ModelVersion | None:
    return next((known for known in model.versions if known.version == version), None) if model else None


def _number(version: str) -> tuple[int, str]:
    return (int(version) if version.isdigit() else -1, version)
