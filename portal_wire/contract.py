"""The shapes that travel between `app_service` and everyone who calls it: one image, one job, one answer."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

Probability = Annotated[float, Field(ge=0, le=1)]
VersionState = Literal["active", "shadow", "available", "retired"]  # one is active, at most one the shadow
NOT_ANSWERED = "not_answered"
UNCERTAIN = "uncertain"
SEGMENTED = "segmented"
EXTENT = "Of the box around it: width (right-left), depth (front-back), height (head-foot); of an image width, height."


class Shape(BaseModel):
    """Immutable; an unknown field is refused, so that nobody can set what the contract does not offer."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class User(Shape):
    id: str
    username: str
    role: Literal["doctor", "admin", "ops", "service"]


class Session(Shape):
    token: str
    expires_at: datetime
    user: User


class Notice(Shape):
    """Something a doctor should know about a study or an answer; `code` is for support."""

    code: str
    detail: str


class Study(Shape):
    """One image or volume, stored once, never changed. `shape` is rows, columns[, slices or channels]."""

    id: str
    kind: Literal["image", "volume"]
    modality: str
    filename: str
    size_bytes: int
    sha256: str
    shape: list[int]
    spacing_mm: list[float] | None
    patient_reference: str | None
    uploaded_at: datetime
    uploaded_by: str
    warnings: list[Notice] = []
    suggested_models: list[str] = []


Failure = Notice  # why a job failed


class Rejected(Notice):
    filename: str


class Finding(Shape):
    """`probability` is calibrated and always that of its own label; `threshold` is the operating point."""

    label: str
    probability: Probability
    threshold: Probability | None
    positive: bool


class Timings(Shape):
    """Seconds. `queue` is from acceptance to the start of the run, `total` from acceptance to the stored answer."""

    queue: float
    prepare: float
    network: float
    interpret: float
    total: float


class Measurement(Shape):
    """The size of one structure of a mask, where its value is `index`: `pixels` in an image, `voxels` in a volume."""

    label: str
    index: int = Field(ge=1, le=255)
    pixels: int | None = None
    voxels: int | None = None
    area_mm2: float | None = None  # None where the spacing is not known
    volume_ml: float | None = None
    mean_hu: float | None = None  # Hounsfield units, in CT
    extent_mm: list[float] | None = Field(default=None, min_length=2, max_length=3, description=EXTENT)
    share: Probability  # of the whole image or volume


class Result(Shape):
    """What a model said: a finding's label, the negative one, "uncertain", "not_answered"; of a mask "segmented"."""

    label: str
    findings: list[Finding]
    calibrated: bool
    calibration: dict[str, str | int] | None = None  # a site's own: its `id`, `n` images, `at`; None: as shipped
    logits: list[float] | None = None  # before any calibration; None where there is no answer
    uncertain_band: list[Probability] | None = Field(default=None, min_length=2, max_length=2)
    in_distribution: bool
    ood_score: float
    warnings: list[Notice]
    measurements: list[Measurement] = []
    timings_s: Timings


class Artifact(Shape):
    """A file that a job made; `size_bytes` is None for one that is drawn when it is asked for."""

    name: str
    media_type: str
    size_bytes: int | None
    url: str


class Review(Shape):
    """What a person thinks of an answer."""

    verdict: Literal["agree", "disagree", "unsure"]
    comment: str | None = Field(default=None, max_length=2000)
    labels: list[str] | None = None
    reviewed_by: str | None = None
    reviewed_at: datetime | None = None


class Prompt(Shape):
    """A box that a person drew. `through`: from slice to slice of a volume until the object ends."""

    box: list[FiniteFloat] = Field(min_length=4, max_length=6)  # two corners, x, y[, z], inclusive
    label: int = Field(default=1, ge=1, le=255)
    through: bool = False


class Correction(Shape):
    """A mask that a person made of the model's own and that of `from_job`; it is an artifact beside them."""

    from_job: str
    measurements: list[Measurement] = []
    corrected_by: str | None = None
    corrected_at: datetime | None = None


class Job(Shape):
    """One run of one model on one study. There is a result in no state but `succeeded`."""

    id: str
    study_id: str
    model: str
    version: str
    state: JobState
    attempt: int
    position: int | None
    progress: Probability | None  # of a running job whose model tells it
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: Failure | None
    result: Result | None
    artifacts: list[Artifact]
    review: Review | None = None
    purpose: Literal["answer", "compare"] = "answer"  # a run to compare never stands as the study's answer
    prompts: list[Prompt] = []
    fast: bool = False  # ran with the model's fast setting
    correction: Correction | None = None


class Uploaded(Shape):
    studies: list[Study]
    jobs: list[Job]
    rejected: list[Rejected]


class StudyPage(Shape):
    items: list[Study]
    next_cursor: str | None


class JobPage(Shape):
    items: list[Job]
    next_cursor: str | None


class ModelVersion(Shape):
    """One trained version. `metrics` is its metrics.json, `plots` are names of PNG files beside its card."""

    version: str
    state: VersionState = "available"
    not_ready: str | None = None  # why it would not answer now
    architecture: str
    parameters: int
    weights_bytes: int | None = None
    sha256: str | None = None  # of its model.json, which has the hash of every other file
    trained_at: str | None
    metrics: dict[str, object]
    card: str
    plots: list[str]
    reviews: dict[str, int] = {}  # how many agree, disagree, are unsure
    compared: int = 0  # images that it read as the shadow of the active version, which alone answered
    same_label: Probability | None = None  # share of those
    mean_difference: Probability | None = None  # of the two probabilities


class Model(Shape):
    """A served model as a person would read about it. `card` is Markdown."""

    name: str
    title: str
    task: str
    kind: Literal["image", "volume", "any"]
    prompted: bool = False  # outlines what a person drew boxes round, and runs with boxes alone
    fast: bool = False  # has a setting that answers sooner and less exactly
    modalities: list[str]
    labels: list[str]
    negative_label: str | None
    active_version: str
    limits: list[str]
    versions: list[ModelVersion]


class ModelList(Shape):
    items: list[Model]


class Limits(Shape):
    """What an upload may be. Bytes, pixels and counts."""

    max_file_bytes: int
    max_pixels: int
    max_files_per_upload: int
    media_types: list[str]
