"""model.json: everything about a version that is not a number in its network."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ml_service.sliding_window.plan import Plan

FILE = "model.json"
WEIGHTS = "weights.npz"
TYPICAL = "typical.npz"  # mean (or points) and precision of the training images' features
INT8 = "int8.xml"  # the network with 8-bit weights and sums for OpenVINO; its weights lie beside it, in int8.bin
APPEARANCE = "appearance.npz"  # what the training images look like; the first versions have none
METRICS = "metrics.json"
CARD = "card.md"
PLOTS = "plots"
GOLDEN = "golden"


Nearest = Literal["mean", "class mean", "training image"]


class Part(BaseModel):
    """Immutable and without unknown fields: a misspelt one must not be ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Calibration(Part):
    """Fitted on validation images; ml_service/calibration.py says how the numbers are used."""

    scale: float = Field(gt=0)
    offset: float | tuple[float, ...]  # one for each logit
    operating_point: float = Field(gt=0, lt=1)  # positive at or above
    uncertain_band: tuple[float, float]  # decisive probabilities between say "uncertain"


class Typical(Part):
    """The largest score that is still answered. Without `spans` the score is the Mahalanobis distance to the training
    features. With them it is the largest of three measures (that distance, and the two of ml_service/appearance.py),
    each brought to a scale on which its first number is 0 and its second is 1; `together`, the two distances count as
    one, the root of the sum of their squares."""

    threshold: float = Field(gt=0)
    nearest: Nearest = "mean"  # what the distance goes to
    spans: tuple[tuple[float, float], ...] | None = None  # median and 99th percentile of validation images
    together: bool = False


class GoldenCase(Part):
    """An image and what this version must say about it."""

    file: str
    label: str
    probability: float | None  # of the first finding; None: the image is refused
    ood_score: float
    logits: tuple[float, ...] | None = None  # what a refused image would have got: it checks the network too
    shares: tuple[float, ...] | None = None  # of the image or volume, by structure; only of models that outline
    boxes: tuple[tuple[float, float, float, float], ...] | None = None  # drawn on it; of models that wait for boxes


class Golden(Part):
    """Checked at every load; `tolerance` is in probability, and relative for the score."""

    tolerance: float
    logit_tolerance: float = 0.1
    cases: tuple[GoldenCase, ...] = Field(min_length=1)


class Described(Part):
    """What every version says of itself, be it a trained network or fixed rules."""

    name: str
    version: str
    title: str
    subject: str  # what it reads, as a noun: "a frontal chest X-ray of a child"
    task: str
    kind: Literal["image", "volume", "any"]
    modalities: tuple[str, ...]
    labels: tuple[str, ...]
    negative_label: str | None  # None: it classifies nothing, it outlines `labels`
    architecture: str
    parameters: int  # how many numbers the network learnt
    limits: tuple[str, ...]
    trained_at: str | None
    golden: Golden
    files: dict[str, str]  # path in the folder -> SHA-256

    @property
    def outlines(self) -> bool:
        """Whether its answer is a mask."""
        return self.negative_label is None


class Rules(Described):
    """A version without a network: its task works by fixed rules, so nothing was trained."""

    architecture: Literal["rules"] = "rules"
    parameters: Literal[0] = 0
    trained_at: None = None


class Prompted(Described):
    """A trained version that outlines what a person drew boxes round. It refuses nothing: a person looked first."""

    architecture: Literal["box_prompt", "lite_medsam"]
    params: dict[str, Any]
    trained_at: str
    training: dict[str, Any]


class Volumetric(Described):
    """A trained version that reads volumes window by window and outlines `labels`, whichever its network has."""

    kind: Literal["volume"] = "volume"
    negative_label: None = None
    architecture: Literal["unet3d", "segresnet", "swin_unetr", "monai_unet"]
    params: dict[str, Any]
    plan: Plan
    clean_up: bool  # by SuPreM's rules (sliding_window/clean_up.py)
    working_bytes: int  # about as much as a pass and a usual volume take, beside the weights
    trained_at: str
    training: dict[str, Any]

    @property
    def outputs(self) -> int:
        """Logits a voxel: a label each, and with softmax one that stands for none."""
        return len(self.labels) + (self.plan.activation == "softmax")


class Manifest(Described):
    """One trained version."""

    params: dict[str, Any]
    side: int  # pixels; the network reads (side, side, 1)
    engine: Literal["openvino", "tensorflow"] | None = None  # what computes it; None: what the tier prefers
    precision: Literal["f32", "bf16", "int8"] = "f32"  # of OpenVINO's sums; less than f32 where benchmarks/engines.py
    # lets it pass
    heat_scale: float  # activation that is shown as full heat
    calibration: Calibration  # of a model that outlines: only where the line runs, a half
    typical: Typical
    trained_at: str
    training: dict[str, Any]

    @property
    def classes(self) -> tuple[str, ...]:
        """Every class in order, the negative one first; a binary task's labels name its finding only."""
        if self.negative_label is None or self.negative_label in self.labels:
            return self.labels
        return (self.negative_label, *self.labels)


def read(folder: Path) -> Manifest:
    """Returns a version folder's manifest. Raises pydantic.ValidationError naming each wrong field."""
    return Manifest.model_validate_json((folder / FILE).read_bytes())


Told = Manifest | Rules | Prompted | Volumetric
_KINDS: dict[str, type[Rules | Prompted | Volumetric]] = {
    "rules": Rules,
    **dict.fromkeys(("box_prompt", "lite_medsam"), Prompted),
    **dict.fromkeys(("unet3d", "segresnet", "swin_unetr", "monai_unet"), Volumetric),
}


def read_any(folder: Path) -> Told:
    """Returns what model.json says, of a version of any kind. Raises as `read` does."""
    told = (folder / FILE).read_bytes()
    architecture = Described.model_validate_json(told, extra="ignore").architecture
    return _KINDS.get(architecture, Manifest).model_validate_json(told)
