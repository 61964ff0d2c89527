"""A volume through a network window by window, its logits handed on slab by slab as soon as they are final.

All logits of a volume at once are the largest thing by far: 32 labels of 300 x 300 x 300 voxels are 3.5 GB. Here
windows go down the longest axis row by row, a row being all windows that begin at the same depth; only as many slices
as a window is deep are kept as sums. What no later row touches is divided by its weights, handed on and forgotten.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ml_service.sliding_window.plan import Plan, Three
from ml_service.sliding_window.windows import count, rows, weights

Floats = NDArray[np.float32]
Run = Callable[[Floats], Floats]  # windows (n, d, h, w, C) -> logits (n, d, h, w, labels)
Progress = Callable[[int, int], None]  # windows done, windows in all


class Cancelled(Exception):
    """The caller wanted no more."""


def total(shape: tuple[int, ...], plan: Plan, fast: bool = False) -> int:
    """Returns how many windows `slabs` reads a volume in; an empty one in none."""
    if not all(shape):
        return 0
    first, second, third = (max(length, side) for length, side in zip(shape, plan.size, strict=True))
    return count((first, second, third), plan.size, plan.shared(fast))


def slabs(
    volume: NDArray[np.generic],
    run: Run,
    plan: Plan,
    fast: bool = False,
    batch: int = 1,
    progress: Progress = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[tuple[slice, slice, slice], Floats]]:
    """Yields where a slab lies in the volume, and its logits, (depth, height, width, labels).

    The slabs fill the volume once and do not overlap. A volume smaller than a window is padded with the darkest level
    on all sides, and the pad is cut off again.

    Args:
        volume: (depth, height, width), any number type, with the plan's spacing and axes.
        run: the network.
        plan: window, overlap, and the levels that become 0 and 1.
        fast: whether the plan's fast overlap will do.
        batch: windows a call of the network.
        progress: is told of every batch.
        cancelled: is asked before every batch.

    Raises:
        ValueError: for another number of axes.
        Cancelled: when `cancelled` says so.
    """
    if volume.ndim != 3:
        raise ValueError(f"Expected a volume of three axes. Received: {volume.shape}")
    axis = int(np.argmax(volume.shape))
    turned = np.moveaxis(volume, axis, 0)  # a view: sums are kept over the two shorter axes
    size = _moved(plan.size, axis)
    pad = [
        ((gap := max(0, side - length)) // 2, gap - gap // 2) for side, length in zip(size, turned.shape, strict=True)
    ]
    if any(before + after for before, after in pad):
        turned = np.pad(turned, pad, constant_values=_darkest(turned.dtype, plan))
    for first, slab in _down(turned, run, plan, size, axis, fast, batch, progress, cancelled):
        kept, first, last = _without_pad(slab, first, pad, volume.shape[axis])
        if first < last:
            where = [slice(0, length) for length in volume.shape]
            where[axis] = slice(first, last)
            yield (where[0], where[1], where[2]), np.moveaxis(kept, 0, axis)


def _down(
    volume: NDArray[np.generic],
    run: Run,
    plan: Plan,
    size: Three,
    axis: int,
    fast: bool,
    batch: int,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> Iterator[tuple[int, Floats]]:
    """Yields the first slice of a slab, and its logits, for a volume whose longest axis is the first."""
    shape: Three = (volume.shape[0], volume.shape[1], volume.shape[2])
    overlap = plan.shared(fast)
    share = weights(size)
    among, done = count(shape, size, overlap), 0
    sums: Floats | None = None  # (window's depth, height, width, labels), and the weights of each voxel
    seen = np.zeros((size[0], *shape[1:]), np.float32)
    depths = [z for z, _ in rows(shape, size, overlap)]
    for (z, across), after in zip(rows(shape, size, overlap), [*depths[1:], shape[0]], strict=True):
        for at in range(0, len(across), batch):
            if cancelled():
                raise Cancelled
            places = across[at : at + batch]
            logits = _run(volume, run, plan, size, axis, z, places)
            if sums is None:
                sums = np.zeros((*seen.shape, logits.shape[-1]), np.float32)
            for (y, x), block in zip(places, logits, strict=True):
                here = (slice(None), slice(y, y + size[1]), slice(x, x + size[2]))
                sums[here] += block * share[..., None]
                seen[here] += share
            done += len(places)
            progress(done, among)
        assert sums is not None
        final = after - z  # slices that no later row touches
        yield z, sums[:final] / seen[:final, :, :, None]
        for kept in (sums, seen):
            for slice_ in range(size[0] - final):  # one by one: a copy of all of them would need as much room again
                kept[slice_] = kept[slice_ + final]
            kept[size[0] - final :] = 0


def _run(
    volume: NDArray[np.generic], run: Run, plan: Plan, size: Three, axis: int, z: int, places: list[tuple[int, int]]
) -> Floats:
    """Returns the logits of some windows of a row, their axes as they are in `volume`."""
    low, high = plan.levels
    cuts = [volume[z : z + size[0], y : y + size[1], x : x + size[2]] for y, x in places]
    windows = np.stack([np.moveaxis(cut, 0, axis) for cut in cuts]).astype(np.float32)
    windows = np.clip((windows - low) / (high - low), 0, 1, out=windows)[..., None]
    return np.moveaxis(run(windows), 1 + axis, 1)


def _without_pad(slab: Floats, first: int, pad: list[tuple[int, int]], length: int) -> tuple[Floats, int, int]:
    """Returns a slab without what was padded, and its first and last slice in the volume as it came."""
    start, stop = first - pad[0][0], first - pad[0][0] + len(slab)
    kept = slab[max(0, -start) : len(slab) - max(0, stop - length)]
    inner = tuple(slice(before, size - after) for (before, after), size in zip(pad[1:], slab.shape[1:3], strict=True))
    return kept[:, inner[0], inner[1]], max(0, start), min(length, stop)


def _darkest(kind: np.dtype[np.generic], plan: Plan) -> float:
    """Returns the level that becomes 0, or the nearest one that the volume's number type has."""
    if not np.issubdtype(kind, np.integer):
        return plan.levels[0]
    span = np.iinfo(kind)  # type: ignore[type-var]
    return float(np.clip(np.floor(plan.levels[0]), span.min, span.max))


def _moved(size: Three, axis: int) -> Three:
    """Returns a window's size with one axis first."""
    first, *others = size[axis], *(side for each, side in enumerate(size) if each != axis)
    return first, others[0], others[1]
