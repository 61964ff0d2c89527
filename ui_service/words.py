"""The words a doctor reads, for each label, state and code. Nothing else in this tier words an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from portal_wire.contract import (
    NOT_ANSWERED,
    SEGMENTED,
    UNCERTAIN,
    Finding,
    Job,
    JobState,
    Model,
    Notice,
    Result,
    Study,
)
from ui_service import sizes

Kind = Literal["positive", "negative", "uncertain", "unanswered", "measured"]

_NOUNS = {"none": "no tumour", "pituitary": "pituitary tumour"}  # where a label is no noun that can stand alone
_NEGATIVE = {"normal": "No pneumonia seen", "none": "No tumour seen"}
STATES = {
    JobState.QUEUED: ("○", "Waiting"),
    JobState.RUNNING: ("◐", "Working"),
    JobState.SUCCEEDED: ("●", "Done"),
    JobState.FAILED: ("✕", "Failed"),
    JobState.CANCELLED: ("–", "Stopped"),  # noqa: RUF001
}
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}
VERDICTS = {"agree": "Agreed", "unsure": "Unsure", "disagree": "Disagreed"}
TIMINGS = {
    "queue": "Waiting",
    "prepare": "Reading the image",
    "network": "Network",
    "interpret": "Explaining",
    "total": "Total, from arrival to answer",
}
SHAPES: dict[Kind, str] = {"positive": "▲", "negative": "▽", "uncertain": "◆", "unanswered": "⊘", "measured": "▦"}
# Codes whose own detail was written for programmers, or can be said better to a doctor.
_PROBLEMS = {
    "service_token": "The portal's parts do not know each other. Please tell whoever runs it.",
    "csrf": "This page has grown old. Please load it again.",
    "bad_prompt": "This box does not lie in the image. Please draw it again.",
    "not_prompted": "Only what was outlined by boxes can correct a mask.",
    "no_mask": "One of the two has no mask.",
    "empty_mask": "The outline is empty, so there is nothing to correct with.",
    "other_study": "The outline belongs to another image.",
    "rate_limited": "Too many tries in a short time. Please wait a little.",
}


@dataclass(frozen=True)
class Answer:
    """`kind` chooses colour and shape; `short` fits a table's cell."""

    kind: Kind
    text: str
    short: str


def answer(job: Job) -> Answer | None:
    """What the model said, in words; None in every state but succeeded: nothing else can look like an answer."""
    if job.state is not JobState.SUCCEEDED or job.result is None:
        return None
    result = job.result
    if result.label == NOT_ANSWERED or not result.in_distribution:
        return Answer("unanswered", _unanswered(result), "Not answered")
    if result.label == UNCERTAIN:
        return Answer("uncertain", "Uncertain", "Uncertain")
    if result.label == SEGMENTED and result.measurements:
        return _outlined(result)
    if any(finding.label == result.label and finding.positive for finding in result.findings):
        text = f"{name(result.label)} suspected"
        return Answer("positive", text, text)
    if result.label in _NEGATIVE:
        return Answer("negative", _NEGATIVE[result.label], _NEGATIVE[result.label])
    # Neither a finding above its operating point nor a known negative label: never word it as either.
    return Answer("unanswered", "Not answered: the model's answer could not be read", "Not answered")


def _outlined(result: Result) -> Answer:
    names = [noun(each.label) for each in sizes.found(result)]
    count = f"{len(names)} of {len(result.measurements)} structures"
    short = f"{count} outlined" if names else "Nothing outlined"
    named = " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"
    return Answer("measured", f"{named.capitalize()} outlined" if 0 < len(names) < 4 else short, short)


def _unanswered(result: Result) -> str:
    """The model's own reason: only it knows what it reads."""
    reason = result.warnings[0].detail if result.warnings else "The model does not know images like this."
    return f"Not answered: {reason[:1].lower()}{reason[1:].rstrip('.')}"


def decisive(result: Result) -> Finding | None:
    """The finding that decided the label: the labelled one, else the most probable."""
    for finding in result.findings:
        if finding.label == result.label:
            return finding
    if result.label == NOT_ANSWERED or not result.findings:
        return None
    return max(result.findings, key=lambda finding: finding.probability)


def noun(label: str) -> str:
    """A label in the middle of a sentence."""
    return _NOUNS.get(label, label.replace("_", " "))


def name(label: str) -> str:
    """A label as the beginning of a sentence."""
    return noun(label).capitalize()


def meaning(job: Job) -> str:
    """What the answer means, in one or two sentences."""
    said, finding = answer(job), decisive(job.result) if job.result else None
    if said is None:
        return ""
    if said.kind == "measured" and job.result:
        return sizes.meaning(job.result)
    if said.kind == "unanswered" or finding is None:
        return "The model gives no answer on an image unlike those it has learned from. Read it as usual."
    if said.kind == "uncertain":
        if job.result and len(job.result.findings) > 1:
            return "No class is probable enough to be named. Where it is this unsure, the model is most often wrong."
        return (
            f"The score lies in the band around the operating point, where this model is most often wrong. "
            f"Take it as no answer about {noun(finding.label)}."
        )
    if job.result and not job.result.calibrated:
        return "This score ranks images; it is not calibrated, so it is no percentage of certainty."
    share, shown = _of_hundred(finding.probability), noun(finding.label)
    images = "images of this site" if job.result and job.result.calibration else "validation images"
    return f"Of 100 {images} with a score like this, {share} show {shown}."


def classes(result: Result) -> list[str]:
    """What an image of this task may show: every class of several; of two the finding and "normal". Nothing where the
    model gave no answer."""
    named = [finding.label for finding in result.findings]
    return ["normal", *named] if len(named) == 1 else named


def calibrated(result: Result) -> str:
    """By which values scores became probabilities."""
    site = result.calibration
    return f"for this site on {str(site['at'])[:10]} with {site['n']:,} images" if site else "as shipped"


def probability(value: float) -> str:
    """Two digits, never rounded to a certainty: ">0.99" and "<0.01" at the ends."""
    return ">0.99" if value >= 0.995 else "<0.01" if value < 0.005 else f"{value:.2f}"


def _of_hundred(probability: float) -> str:
    if probability < 0.01:
        return "fewer than 1"
    if probability > 0.99:
        return "more than 99"
    return f"about {round(100 * probability)}"


def state(job: Job) -> str:
    """A job's state as a sentence: "Waiting, 3rd in line", "Working, 40%", "Done", or why it failed."""
    word = STATES[job.state][1]
    if job.state is JobState.QUEUED and job.position is not None:
        return f"{word}, next in line" if job.position <= 1 else f"{word}, {ordinal(job.position)} in line"
    if job.state is JobState.RUNNING and job.progress is not None:
        return f"{word}, {job.progress:.0%}"
    if job.state is JobState.FAILED:
        return failure(job)
    return word


def failure(job: Job) -> str:
    """Why a job failed, in words."""
    return problem(job.error.code, job.error.detail) if job.error else "This run failed without giving a reason."


def problem(code: str, detail: str) -> str:
    """An error as a sentence for a doctor; App's own words where they are already that."""
    return _PROBLEMS.get(code, detail)


def notice(warning: Notice) -> str:
    """A warning as a sentence for a doctor."""
    return warning.detail


def kind_of(modality: str) -> str:
    """What an image is, by its DICOM modality."""
    kinds = {"DX": "X-ray", "CR": "X-ray", "CT": "CT", "MR": "MR", "OT": "Image"}
    return kinds.get(modality, modality)


def study_kind(study: Study) -> str:
    """What a study is: "CT volume", "X-ray"."""
    if study.kind == "image":
        return kind_of(study.modality)
    return "Volume" if study.modality == "OT" else f"{kind_of(study.modality)} volume"


def size(study: Study) -> str:
    """Columns, rows and slices, with the distances between them where they are known."""
    rows, columns, *more = study.shape
    sides = [columns, rows, *(more if study.kind == "volume" else [])]
    shown = " × ".join(map(str, sides))  # noqa: RUF001
    if not study.spacing_mm:
        return shown
    rows_mm, columns_mm, *slices_mm = study.spacing_mm
    return f"{shown} of {' × '.join(f'{step:.3g}' for step in (columns_mm, rows_mm, *slices_mm))} mm"  # noqa: RUF001


def no_answer(study: Study, models: Sequence[Model], jobs: Sequence[Job]) -> str:
    """Why no answer stands on the page of a study."""
    if jobs:
        return "Models were only compared on this image."
    if not any(model.kind == study.kind for model in models):
        return f"No model of this portal reads {study.kind}s yet. Nothing was judged; look at it yourself."
    return f"No model has run on this {study.kind}."


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th …"""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{_ENDINGS.get(number % 10, 'th')}"
