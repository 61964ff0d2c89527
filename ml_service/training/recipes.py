"""How each model is trained. A recipe is data; train.py runs it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Phase:
    """A warm-up and one cosine at one image size."""

    side: int  # pixels
    epochs: int
    learning_rate: float
    bands: float = 0.0  # share of films with flattened frequency bands instead of an equalised histogram


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome of a run, but for the data and the seed."""

    task: str
    classes: tuple[str, ...]  # folder names, in the order of the class numbers
    phases: tuple[Phase, ...]
    architecture: str = "house"
    params: dict[str, Any] = field(default_factory=dict)
    batch: int = 32
    weight_decay: float = 0.02
    warm_up: float = 0.06  # share of a phase's steps
    label_smoothing: float = 0.05
    ema: float = 0.997  # momentum of the averaged weights, which are the ones that are kept

    @property
    def side(self) -> int:
        """The image size that the finished model reads, pixels."""
        return self.phases[-1].side


RECIPES = {
    "pneumonia": Recipe(
        task="pneumonia",
        classes=("NORMAL", "PNEUMONIA"),
        phases=(
            Phase(128, 14, 2e-3, bands=0.4),
            Phase(192, 8, 1e-3, bands=0.4),
            Phase(192, 2, 6e-4, bands=0.25),
            Phase(192, 9, 1e-3, bands=0.25),
            Phase(192, 7, 8e-4, bands=0.25),
        ),
    ),
}
