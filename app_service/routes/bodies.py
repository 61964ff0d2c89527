"""What requests may carry, besides what the contract already defines."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from flask.json.provider import DefaultJSONProvider
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app_service.domain.prompts import MOST
from portal_wire.contract import Job, JobState, Prompt, VersionState

Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Otp = Annotated[str, StringConstraints(min_length=1, max_length=64)]  # a code of an authenticator, or a recovery code
Purpose = Literal["answer", "compare"]
MOST_MODELS = 100  # that one request may run: a comparison takes every version of every model that ships, and more
MOST_STUDIES = 1000  # likewise: all of them or none, so one transaction, for which every other writer waits
MOST_PACKED = 5000  # jobs of one archive: their ids fit into the 1 MB that NGINX lets in, their answers into memory


class Json(DefaultJSONProvider):
    """Lists within lists without end are no JSON for us: Python's parser gives up on them with an error of its own."""

    def loads(self, s: str | bytes, **options: Any) -> Any:
        try:
            return super().loads(s, **options)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


class Asked(BaseModel):
    """An unknown field is a mistake that the caller should hear of. So is a NUL, which PostgreSQL keeps in no text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nul(cls, came: Any) -> Any:
        if isinstance(came, dict) and any(isinstance(text, str) and "\0" in text for text in came.values()):
            raise ValueError("A text holds a NUL character.")
        return came


class SignIn(Asked):
    username: Name
    password: Password
    otp: Otp | None = None


class ModelWanted(Asked):
    model: Name
    version: Name | None = None


class JobWanted(ModelWanted):
    """`prompts` for a model that outlines what a person drew boxes round, `fast` for one that has such a setting, and
    for no other."""

    fast: bool = False
    prompts: list[Prompt] = Field(default=[], max_length=MOST)


class JobsWanted(Asked):
    """Every model on every study. A model by its name alone runs in its active version."""

    study_ids: list[UUID] = Field(min_length=1, max_length=MOST_STUDIES)
    models: list[Name | ModelWanted] = Field(min_length=1, max_length=MOST_MODELS)
    purpose: Purpose = "answer"
    fast: bool = Field(default=False, description="The models' fast setting; every one must have it.")


class CorrectionWanted(Asked):
    """Whose mask takes the place of the same structures in a job's own."""

    from_job: UUID


class JobsChosen(Asked):
    job_ids: list[UUID] = Field(min_length=1, max_length=MOST_PACKED)


class Page(Asked):
    """A part of a list, newest first. `cursor` is the `next_cursor` of the part before."""

    limit: int = Field(default=50, ge=1, le=500)
    cursor: UUID | None = None
    q: str | None = Field(default=None, max_length=200, description="Part of the file name or patient reference.")
    since: datetime | None = Field(default=None, alias="from")
    until: datetime | None = Field(default=None, alias="to")
    state: JobState | None = None


class StudyQuery(Page):
    kind: str | None = Field(default=None, pattern="^(image|volume)$")


class JobQuery(Page):
    model: Name | None = None
    study_id: str | None = Field(default=None, max_length=20_000, description="One id or several, with commas.")
    purpose: Purpose | None = None


class ModelQuery(Asked):
    study_id: UUID | None = Field(default=None, description="Only models that may read this study.")


class VersionChange(Asked):
    """What a version is to be. `instead_of` is the version that answers as far as the caller knows."""

    state: VersionState
    instead_of: Name | None = None


class ImageQuery(Asked):
    """Window in the image's own grey values; `max_side` in pixels."""

    window_center: float | None = None
    window_width: float | None = Field(default=None, gt=0)
    max_side: int | None = Field(default=None, ge=16, le=8192)


class Layer(BaseModel):
    """A layer for one image: `output` is its shape without the batch."""

    name: str
    kind: str
    output: list[int]
    parameters: int
    multiply_adds: int


class Network(BaseModel):
    """What a version's network is made of; the sums are over its layers. `input` is rows, columns, channels."""

    architecture: str
    input: list[int]
    parameters: int
    multiply_adds: int
    layers: list[Layer]


class CalibrationChoice(Asked):
    """Which fit is to be in force; null: the values that the version was shipped with."""

    in_force: UUID | None


class SiteFit(BaseModel):
    """A fit of a version to this site. `evidence` holds n, the scores before and after (cross-fitted) and what is
    `worse`; the ML tier's OpenAPI document describes it and the `parameters`."""

    id: str
    source: Literal["reviews", "folder"]
    created_at: datetime
    created_by: str | None
    in_force: bool
    parameters: dict[str, object]
    evidence: dict[str, object]


class SiteState(BaseModel):
    """`reviewed` counts the cases of each class, `left_out` those that tell no class, by reason."""

    reviewed: dict[str, int]
    left_out: dict[str, int]
    fits: list[SiteFit]


class JobList(Asked):
    jobs: list[Job]
