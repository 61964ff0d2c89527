"""A PyTorch state dict as arrays, and rules that say where each of its tensors goes in one of our networks."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Turn = Callable[[Array], Array]
COUNTER = "num_batches_tracked"  # torch's batch counter; nothing is computed from it
NORM = (("weight", "gamma"), ("bias", "beta"), ("running_mean", "moving_mean"), ("running_var", "moving_variance"))


class Rule(NamedTuple):
    """One tensor's way."""

    source: str  # name in the state dict
    shape: tuple[int, ...]  # there
    target: str  # path in our network
    turn: Turn


def read(path: Path, within: tuple[str, ...] = ()) -> dict[str, Array]:
    """Returns the tensors of a saved state dict as float32. Raises ValueError when it holds anything else.

    `within` names the entries under which a training checkpoint may keep its state dict beside an optimizer's.
    Needs the optional extra `importers`. `weights_only`: a checkpoint is a pickle, and must not be one that acts.
    """
    import torch  # a large library that nothing else needs

    saved = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(saved, dict):
        raise ValueError(f"Expected a plain state dict of tensors. Received: a {type(saved).__name__}")
    saved = next((saved[name] for name in within if isinstance(saved.get(name), dict)), saved)
    strange = [name for name, value in saved.items() if not isinstance(value, torch.Tensor)]
    if strange:
        raise ValueError(f"Expected a plain state dict of tensors. Received: {strange[0]!r} that is none")
    return {name: value.float().numpy() for name, value in saved.items()}


def convert(
    tensors: Mapping[str, Array], rules: Iterable[Rule], unused: Callable[[str], bool] = lambda name: False
) -> dict[str, Array]:
    """Returns arrays by their path in our network.

    The tensors' order does not matter, and a `module.` prefix (a checkpoint from several GPUs) is taken off. `unused`
    tells the tensors that nothing is computed from.
    Raises ValueError naming every tensor that is missing, unknown or of another shape.
    """
    plain = {name.removeprefix("module."): value for name, value in tensors.items()}
    came = {name: value for name, value in plain.items() if not name.endswith(COUNTER) and not unused(name)}
    wanted = {rule.source: rule for rule in rules}
    wrong = [f"{name} is missing" for name in wanted if name not in came]
    wrong += [f"{name} is unknown" for name in came if name not in wanted]
    wrong += [
        f"{name} is {came[name].shape} instead of {rule.shape}"
        for name, rule in wanted.items()
        if name in came and came[name].shape != rule.shape
    ]
    if wrong:
        raise ValueError(f"Expected the architecture's tensors. Received: {', '.join(wrong)}")
    return {rule.target: rule.turn(came[name]).astype(np.float32) for name, rule in wanted.items()}


def conv(source: str, target: str, before: int, after: int, side: int = 3) -> list[Rule]:
    """A 2D convolution with bias; (out, in, h, w) becomes (h, w, in, out)."""
    return [
        Rule(f"{source}.weight", (after, before, side, side), f"{target}/kernel", lambda k: k.transpose(2, 3, 1, 0)),
        Rule(f"{source}.bias", (after,), f"{target}/bias", same),
    ]


def norm(source: str, target: str, channels: int) -> list[Rule]:
    """A batch normalisation."""
    return [Rule(f"{source}.{theirs}", (channels,), f"{target}/{ours}", same) for theirs, ours in NORM]


def dense(
    source: str, target: str, before: int, after: int, turn: Callable[[Array], Array] = np.transpose
) -> list[Rule]:
    """A dense layer; (out, in) becomes (in, out). `turn` may also put the inputs in another order."""
    return [
        Rule(f"{source}.weight", (after, before), f"{target}/kernel", turn),
        Rule(f"{source}.bias", (after,), f"{target}/bias", same),
    ]


def channels_last(channels: int) -> Turn:
    """Returns the turn of a dense kernel whose inputs were flattened (channels, places) and are (places, channels)."""

    def turn(kernel: Array) -> Array:
        parts = kernel.reshape(len(kernel), channels, -1)  # (out, channels, places)
        return parts.transpose(2, 1, 0).reshape(-1, len(kernel))

    return turn


def same(array: Array) -> Array:
    """Returns the array."""
    return array
