"""How each model is trained. A recipe is data; train.py runs it."""

from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal


@dataclass(frozen=True)
class Phase:
    """A warm-up and one cosine at one image size."""

    side: int  # pixels
    epochs: int
    learning_rate: float
    bands: float = 0.0  # share of films with flattened frequency bands instead of an equalised histogram
    erase: float = 1.0  # how often parts are hidden, against how often they are on chest films
    variation: Literal["hard", "003"] = "hard"  # how films are varied: augment.varied
    mixup: float = 0.0  # share of batches whose films are blended in pairs (Zhang et al. 2018, arXiv 1710.09412)
    matching: float = 0.0  # share of films that are given the mean histogram of a few others, of whatever class
    hide: float = 0.0  # share of films with cells of a grid greyed at random (of "hard" variation)
    stretch: float = 0.12  # widest change of the ratio of width to height, as a logarithm
    strength: float = 1.0  # of moves and exposure, against what "hard" has; less than 1 late in a schedule


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
    schedule: Literal["cosine", "staircase"] = "cosine"  # staircase: 5 % less every 10,000 steps, no warm-up
    patience: int | None = None  # epochs without a lower loss on augmented validation films, after which it stops
    ema: float = 0.997  # momentum of the averaged weights, which are the ones that are kept
    precision: str = "mixed_bfloat16"  # Keras' policy in training; a released version is float32

    @property
    def side(self) -> int:
        """The image size that the finished model reads, pixels."""
        return self.phases[-1].side


FILMS = ("NORMAL", "PNEUMONIA")
SLICES = ("notumor", "glioma", "meningioma", "pituitary")
RECIPES = {
    # From weights that had learnt the training films without their labels (make pretrain: 40 epochs at 128 pixels). The
    # last two phases were a run of their own, with averages and optimiser begun anew. So was what stretched films came
    # to: version 6 went on from version 5, which had run these phases with .12, for 11 epochs at 1e-3 and 19 at 1.2e-3.
    "pneumonia": Recipe(
        task="pneumonia",
        classes=FILMS,
        phases=(
            Phase(128, 10, 1.5e-3, bands=0.3, mixup=0.5, stretch=0.5),
            Phase(192, 16, 1.2e-3, bands=0.3, mixup=0.5, stretch=0.5),
            Phase(224, 10, 5e-4, bands=0.15, mixup=0.3, stretch=0.5, strength=0.7),
            Phase(224, 15, 1e-3, bands=0.3, mixup=0.5, stretch=0.5),
            Phase(224, 6, 3e-4, bands=0.15, mixup=0.3, stretch=0.5, strength=0.7),
        ),
        ema=0.998,
    ),
    # As system 003 trained: its network, augmentation, rates, class weights and early stop. What differs: our input
    # (equalised, not RGB / 255), the loss that stops it (augmented films), and random weights to start from, because
    # no ImageNet weights come with the portal. At its rate of 1e-5 that is slow.
    "pneumonia-003": Recipe(
        task="pneumonia",
        classes=FILMS,
        architecture="resnet50",
        phases=(Phase(224, 20, 1e-5, variation="003"),),
        batch=16,
        weight_decay=0.0,
        label_smoothing=0.0,
        schedule="staircase",
        patience=5,
        ema=0.0,
        precision="float32",
    ),
    # From the weights of version 2, which had seen the same slices for 69 epochs at 128 and 160 pixels. The last two
    # phases were a run of their own, from the best epoch of the first two.
    "brain-tumour": Recipe(
        task="brain-tumour",
        classes=SLICES,
        params={"labels": 4},
        phases=(
            Phase(192, 20, 1.5e-3, erase=0.3, mixup=0.3, matching=0.3),
            Phase(192, 10, 6e-4, erase=0.15, matching=0.3, strength=0.5),
            Phase(192, 14, 1.5e-3, erase=0.3, mixup=0.3, matching=0.3),
            Phase(192, 8, 6e-4, erase=0.15, matching=0.3, strength=0.5),
        ),
        ema=0.998,
    ),
}

# The source systems' networks, narrow enough to ship (5 MB) and to train beside the others, for the compare page. Their
# exact sizes: make train MODEL=pneumonia ARCH=vgg16_bn.
_NARROW = {
    "resnet50": {"width": 0.25},
    "vgg16_bn": {"width": 0.125},
    "cnn4": {"width": 0.4},
    "cnn_attention": {"width": 0.6},
    "attention": {"width": 0.4},
}
# Hard variation takes longer to learn from, and small batches give more steps in the same time. What ships for slices
# went on from 18 (resnet50), 8 (cnn4) and 2 (cnn_attention, for 3 more) epochs of harder variation; vgg16_bn had its
# 10 epochs and 4 more at the same rate.
_BRIEF = Phase(96, 10, 1e-3, erase=0.1, matching=0.2, strength=0.4)
_RATE = {"vgg16_bn": 3e-4}  # at 1e-3 its two wide hidden layers fall silent in the first epoch and stay so
_EPOCHS = {"cnn_attention": 6, "attention": 6}  # they take longest
for _name, _params in _NARROW.items():
    _rate, _epochs = _RATE.get(_name, 1e-3), _EPOCHS.get(_name, 10)
    RECIPES[f"pneumonia-{_name.replace('_', '-')}"] = Recipe(
        "pneumonia", FILMS, (Phase(96, 10, _rate),), _name, _params, weight_decay=0.05
    )
    RECIPES[f"brain-tumour-{_name.replace('_', '-')}"] = Recipe(
        "brain-tumour",
        SLICES,
        (replace(_BRIEF, learning_rate=_rate, epochs=_epochs),),
        _name,
        _params | {"labels": 4},
        batch=16,
        weight_decay=0.05,
    )
# From the weights of version 1, which had seen the same images at 96 pixels, where the last maps are 3 x 3 places. Here
# they are 7 x 7, as in the originals, and the heat has something to point at. (Of these first versions one still ships,
# brain-tumour-resnet50's.)
for _task in ("pneumonia", "brain-tumour"):
    for _name, _number in {"vgg16-bn": 8, "resnet50": 10}.items():
        _recipe = RECIPES[f"{_task}-{_name}"]
        RECIPES[f"{_task}-{_name}"] = replace(_recipe, phases=(replace(_recipe.phases[0], side=224, epochs=_number),))
# Without the second, in a run of its own, the heat was not told from chance: of what spoke for pneumonia it showed one
# place, and greying any others took the answer down as fast.
_recipe = RECIPES["pneumonia-resnet50"]
RECIPES["pneumonia-resnet50"] = replace(_recipe, phases=(*_recipe.phases, Phase(224, 6, 6e-4, hide=0.5)))
RECIPES["pneumonia-attention"] = replace(
    RECIPES["pneumonia-attention"], phases=(replace(_BRIEF, epochs=6, matching=0.0),), batch=16
)


def recorded(config: dict[str, Any]) -> Recipe:
    """Returns the recipe of a run from its config.json, which also holds facts that are no part of it."""
    known = {name: config[name] for name in (f.name for f in fields(Recipe)) if name in config}
    known |= {"classes": tuple(config["classes"]), "phases": tuple(Phase(**phase) for phase in config["phases"])}
    return Recipe(**known)
