"""The streamed window against a plain one that keeps every sum, and what it promises about memory and stopping."""

import itertools
import tracemalloc
from math import ceil

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_service import architectures
from ml_service.sliding_window.labels import label_bits, label_map
from ml_service.sliding_window.plan import Plan, Three
from ml_service.sliding_window.stream import Cancelled, Floats, slabs
from ml_service.sliding_window.windows import count, starts, weights

LABELS = 3


def plan(size: Three = (8, 10, 6), overlap: float = 0.5, fast: float = 0.0, activation: str = "sigmoid") -> Plan:
    return Plan.model_validate(
        {
            "size": size,
            "overlap": overlap,
            "fast_overlap": fast,
            "spacing_mm": None,
            "levels": (-100, 300),
            "activation": activation,
        }
    )


def network(windows: Floats) -> Floats:
    """Logits that depend on where in its window a voxel is, so that wrong weights or places show."""
    _, d, h, w, _ = windows.shape
    z, y, x = np.meshgrid(np.arange(d), np.arange(h), np.arange(w), indexing="ij")
    value = windows[..., 0]
    return np.stack([value * (z + 1), value - 0.1 * y, np.sin(x) + value**2], axis=-1).astype(np.float32)


def some(shape: tuple[int, ...]) -> NDArray[np.int16]:
    return np.random.default_rng(sum(shape)).integers(-300, 500, shape, dtype=np.int16)


def plain(volume: NDArray[np.int16], asked: Plan) -> Floats:
    """Every window in its place, all sums kept."""
    low, high = asked.levels
    scaled = np.clip((volume.astype(np.float64) - low) / (high - low), 0, 1)
    gaps = [max(0, side - length) for side, length in zip(asked.size, volume.shape, strict=True)]
    padded = np.pad(scaled, [(gap // 2, gap - gap // 2) for gap in gaps])
    places = []
    for length, side in zip(padded.shape, asked.size, strict=True):
        step = max(1, int(side * (1 - asked.overlap)))
        places.append([min(n * step, length - side) for n in range(1 + ceil((length - side) / step))])
    distance = [(np.arange(side) - (side - 1) / 2) / (side / 8) for side in asked.size]
    z, y, x = np.meshgrid(*distance, indexing="ij")
    share = np.exp(-0.5 * (z**2 + y**2 + x**2))
    share = np.clip(share, max(share.min(), 1e-3), None)
    sums, seen = np.zeros((*padded.shape, LABELS)), np.zeros(padded.shape)
    for corner in itertools.product(*places):
        here = tuple(slice(at, at + side) for at, side in zip(corner, asked.size, strict=True))
        window = padded[here].astype(np.float32)[None, ..., None]
        sums[here] += network(window)[0] * share[..., None]
        seen[here] += share
    inner = tuple(slice(gap // 2, gap // 2 + length) for gap, length in zip(gaps, volume.shape, strict=True))
    return (sums / seen[..., None])[inner].astype(np.float32)


@pytest.mark.parametrize(
    "shape", [(30, 20, 13), (17, 40, 12), (9, 11, 33), (8, 10, 6), (5, 30, 4), (3, 4, 5), (12, 12, 12)]
)
@pytest.mark.parametrize("batch", [1, 3])
def test_it_is_a_plain_sliding_window(shape: tuple[int, ...], batch: int) -> None:
    volume, asked = some(shape), plan()
    times = np.zeros(shape, np.int32)
    came = np.full((*shape, LABELS), np.nan, np.float32)
    for where, logits in slabs(volume, network, asked, batch=batch):
        times[where] += 1
        came[where] = logits
    assert (times == 1).all()
    np.testing.assert_allclose(came, plain(volume, asked), atol=2e-5)


def test_one_window_is_the_network_itself() -> None:
    volume, asked = some((8, 10, 6)), plan()
    ((_, came),) = slabs(volume, network, asked)
    scaled = np.clip((volume.astype(np.float32) + 100) / 400, 0, 1)[None, ..., None]
    np.testing.assert_allclose(came, network(scaled)[0], atol=1e-5)


def test_an_unsigned_volume_is_padded_with_its_darkest_level() -> None:
    volume = np.full((4, 4, 4), 300, np.uint16)
    ((_, came),) = slabs(volume, lambda windows: windows + windows.mean(axis=(1, 2, 3), keepdims=True), plan((8, 8, 8)))
    # 64 voxels at level 1 of 512; the others at 0, which is a quarter of the way from -100 to 300.
    np.testing.assert_allclose(came, 1 + (64 + 448 * 0.25) / 512, atol=1e-6)


@pytest.mark.parametrize(
    ("length", "side", "overlap", "expected"),
    [
        (96, 96, 0.75, [0]),
        (100, 96, 0.5, [0, 4]),
        (266, 96, 0.25, [0, 72, 144, 170]),
        (300, 96, 0.5, [0, 48, 96, 144, 192, 204]),
        (10, 4, 0.9, [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_windows_begin(length: int, side: int, overlap: float, expected: list[int]) -> None:
    assert starts(length, side, overlap) == expected


@pytest.mark.parametrize(("overlap", "windows"), [(0.75, 810), (0.5, 150), (0.25, 64)])
def test_a_ct_has_as_many_windows_as_upstream_counts(overlap: float, windows: int) -> None:
    assert count((266, 266, 300), (96, 96, 96), overlap) == windows


def test_the_middle_of_a_window_counts_most_and_no_voxel_nothing() -> None:
    share = weights((9, 9, 9))
    assert share[4, 4, 4] == share.max() == 1
    assert share.min() == np.float32(1e-3)
    np.testing.assert_array_equal(share, share[::-1, ::-1, ::-1])


def test_fast_takes_fewer_windows() -> None:
    volume, asked = some((40, 20, 20)), plan((8, 8, 8), overlap=0.75, fast=0.25)
    calls: list[tuple[int, int]] = []
    totals = []
    for fast in (False, True):
        for _ in slabs(volume, network, asked, fast=fast, progress=lambda done, total: calls.append((done, total))):
            pass
        totals.append(calls[-1][1])
    assert totals == [count((40, 20, 20), (8, 8, 8), 0.75), count((40, 20, 20), (8, 8, 8), 0.25)]
    assert totals[1] * 5 < totals[0]


def test_progress_rises_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    for _ in slabs(
        some((30, 20, 13)), network, plan(), batch=4, progress=lambda done, total: told.append((done, total))
    ):
        pass
    done = [each for each, _ in told]
    assert done == sorted(set(done)) and told[-1][0] == told[-1][1] == count((30, 20, 13), (8, 10, 6), 0.5)


def test_it_stops_between_two_windows() -> None:
    asked = iter([False, False, False, True])
    ran: list[int] = []

    def run(windows: Floats) -> Floats:
        ran.append(len(windows))
        return network(windows)

    with pytest.raises(Cancelled):
        list(slabs(some((30, 20, 13)), run, plan(), cancelled=lambda: next(asked)))
    assert len(ran) == 3


def test_memory_is_the_volume_and_a_row_of_windows() -> None:
    labels, side, shape = 16, 16, (512, 48, 48)
    volume = np.zeros(shape, np.int16)
    row_bytes = side * 48 * 48 * (labels + 1) * 4
    tracemalloc.start()
    try:
        label_map(
            slabs(
                volume,
                lambda windows: np.zeros((*windows.shape[:4], labels), np.float32),
                plan((side, side, side), activation="softmax"),
            ),
            shape,
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    answer_bytes = volume.size
    # The sums, the slab that is handed on, and the one before it while it is still in somebody's hands.
    assert peak < answer_bytes + 3 * row_bytes
    assert peak < volume.size * labels * 4 / 8  # far from all logits


def test_labels_and_bits() -> None:
    volume, asked = some((20, 10, 6)), plan()
    logits = plain(volume, asked)
    bits = label_bits(slabs(volume, network, asked), volume.shape)
    sure = np.abs(logits) > 1e-4
    for label in range(LABELS):
        here = sure[..., label]
        np.testing.assert_array_equal(((bits >> label) & 1 == 1)[here], logits[..., label][here] > 0)
    soft = plan(activation="softmax")
    chosen = label_map(slabs(volume, network, soft), volume.shape)
    clear = np.diff(np.sort(logits, axis=-1), axis=-1)[..., -1] > 1e-4
    np.testing.assert_array_equal(chosen[clear], logits.argmax(axis=-1)[clear])


def test_a_real_network_goes_through() -> None:
    network = architectures.build("unet3d", {"labels": 2, "widths": (8, 8)})
    volume = some((20, 9, 8))
    seen = np.concatenate(
        [logits for _, logits in slabs(volume, lambda w: network(w)["logits"].numpy(), plan((8, 8, 8)), batch=2)]
    )
    assert seen.shape == (20, 9, 8, 2) and np.isfinite(seen).all()


@pytest.mark.parametrize(
    "wrong", [{"overlap": 1.0}, {"levels": (3, 3)}, {"size": (0, 8, 8)}, {"spacing_mm": (0, 1, 1)}, {"axes": "RAR"}]
)
def test_a_plan_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Plan.model_validate(plan().model_dump() | wrong)


def test_a_slice_is_no_volume() -> None:
    with pytest.raises(ValueError, match=r"Received: \(8, 8\)"):
        list(slabs(some((8, 8)), network, plan()))
