"""The boxes that a person drew on a study: they must lie in it before a model sees them."""

from collections.abc import Sequence
from math import isfinite

from portal_wire.contract import Prompt
from portal_wire.errors import Unprocessable

MOST = 64
AXES = "xyz"


def sides_of(shape: Sequence[int], kind: str) -> tuple[int, ...]:
    """How many x (columns), y (rows) and, in a volume, z (slices) a study has. A study's `shape` is rows, columns
    [, slices or channels]."""
    rows, columns, *more = shape
    return (columns, rows, more[0]) if kind == "volume" else (columns, rows)


def check_prompts(prompts: Sequence[Prompt], kind: str, shape: Sequence[int]) -> None:
    """Raises Unprocessable `bad_prompt` naming the first field that does not fit the study."""
    sides = sides_of(shape, kind)
    for number, prompt in enumerate(prompts):
        if fault := _fault(prompt.box, sides):
            raise Unprocessable(f"prompts[{number}].box: {fault}", code="bad_prompt")
        if prompt.through and kind != "volume":
            raise Unprocessable(f"prompts[{number}].through: only a volume has further slices.", code="bad_prompt")


def clipped(box: Sequence[float], sides: Sequence[int]) -> list[float] | None:
    """The part of a box that lies in the study: boxes in files are often widened beyond it. None for no sound box."""
    if len(box) != 2 * len(sides) or not all(isfinite(value) for value in box):
        return None
    lower = [max(0.0, value) for value in box[: len(sides)]]
    upper = [min(side - 1.0, value) for value, side in zip(box[len(sides) :], sides, strict=True)]
    return None if _fault([*lower, *upper], sides) else [*lower, *upper]


def _fault(box: Sequence[float], sides: Sequence[int]) -> str | None:
    if len(box) != 2 * len(sides):
        named = ", ".join(f"{axis}_{end}" for end in ("min", "max") for axis in AXES[: len(sides)])
        return f"expected {2 * len(sides)} numbers, {named}."
    for axis, side, low, high in zip(AXES, sides, box, box[len(sides) :], strict=False):
        if not (0 <= low <= side - 1 and 0 <= high <= side - 1):
            return f"{axis} must lie from 0 to {side - 1}."
        if axis != "z" and not low < high:
            return f"{axis}_max must be above {axis}_min."
        if axis == "z" and not (low <= high and low.is_integer() and high.is_integer()):
            return "z_min and z_max must be whole numbers of slices, z_max not below z_min."
    return None
