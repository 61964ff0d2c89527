"""What a volume network asks for: how a volume is to come, and the windows that it is read in."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Three = tuple[int, int, int]
_ONE_WAY = str.maketrans("LPI", "RAS")


class Plan(BaseModel):
    """Immutable and without unknown fields, as every part of a model's description."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: Three  # voxels of a window
    overlap: float = Field(ge=0, lt=1)  # share of a window's side that the next one sees again
    fast_overlap: float = Field(ge=0, lt=1)  # the same where an answer is wanted sooner
    spacing_mm: tuple[float, float, float] | None  # that volumes are resampled to; None: as they are
    axes: str = "RAS"  # where the array's axes lead
    levels: tuple[float, float]  # of the volume, that become 0 and 1; what lies beyond is cut
    foreground: bool = False  # whether only the box of what is above the darker level is read, as SuPreM does
    activation: Literal["sigmoid", "softmax"]  # a yes or no for each label, or one label a voxel, the first: none

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if min(self.size) < 1:
            raise ValueError(f"Expected windows of at least one voxel. Received: {self.size}")
        if sorted(self.axes.translate(_ONE_WAY)) != ["A", "R", "S"]:
            raise ValueError(f"Expected axes as R or L, A or P and S or I, in any order. Received: {self.axes!r}")
        if self.spacing_mm is not None and min(self.spacing_mm) <= 0:
            raise ValueError(f"Expected a spacing above 0 mm. Received: {self.spacing_mm}")
        if not self.levels[0] < self.levels[1]:
            raise ValueError(f"Expected the darker level first. Received: {self.levels}")
        return self

    def shared(self, fast: bool = False) -> float:
        """Returns the overlap to use."""
        return min(self.overlap, self.fast_overlap) if fast else self.overlap
