"""The arithmetic of the benchmark's table."""

import cv2
import numpy as np
import pytest

from benchmarks.block import measure
from benchmarks.films import HEIGHT, WIDTH, films
from benchmarks.table import percentile, show, table


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.95, 95), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_one_of_the_values(share: float, expected: float) -> None:
    assert percentile([float(value) for value in range(100, 0, -1)], share) == expected


def test_ratios_are_made_within_each_round() -> None:
    rows = {"ours": [30.0, 60.0, 20.0], "naive": [10.0, 10.0, 5.0]}
    ours, naive = table(rows, "naive", {"ours": [0.1, 0.2]})
    assert (ours["images_per_s"], ours["ratio"], ours["ratio_range"]) == (30.0, 4.0, [3.0, 6.0])
    assert (ours["p50_ms"], ours["p95_ms"], ours["p99_ms"], naive["p50_ms"]) == (100, 200, 200, None)
    assert "4.00 (3.00–6.00)" in show([ours, naive], "naive")  # noqa: RUF001


def test_a_block_counts_what_was_finished() -> None:
    calls: list[int] = []
    block = measure(calls.append, clients=2, seconds=0.05)
    assert block.done == len(calls) == len(block.latencies_s)
    assert set(calls) == {0, 1}


def test_a_block_passes_on_what_went_wrong() -> None:
    with pytest.raises(ZeroDivisionError):
        measure(lambda client: [1 // client], clients=1, seconds=1)  # type: ignore[arg-type]


def test_the_films_differ_and_have_the_size_of_a_detectors() -> None:
    made = films(4)
    assert len(set(made)) == 4
    for film in made:
        decoded = cv2.imdecode(np.frombuffer(film, np.uint8), cv2.IMREAD_UNCHANGED)
        assert decoded is not None and decoded.shape == (HEIGHT, WIDTH)
        assert len(film) > 100_000
