"""Admission, batches, deadlines: with a network that a test can hold up."""

import threading
import time

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_service.batcher import Batcher, Expired
from ml_service.engines import Outputs
from portal_wire.errors import Unavailable

Pixels = NDArray[np.float32]


class HeldNetwork:
    """Answers with each image's mean; waits for `go` before every pass."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.began = threading.Event()
        self.rows: list[int] = []

    def __call__(self, pixels: Pixels) -> Outputs:
        self.began.set()
        assert self.go.wait(10)
        self.rows.append(len(pixels))
        means = pixels.mean(axis=(1, 2))
        return Outputs(means, means, pixels)


def image(value: float, rows: int = 1) -> Pixels:
    return np.full((rows, 4, 4, 1), value, np.float32)


@pytest.fixture
def network() -> HeldNetwork:
    return HeldNetwork()


def held(network: HeldNetwork, batch_rows: int = 4, queue_rows: int = 6) -> Batcher:
    """A batcher whose engine is busy with one image."""
    batcher = Batcher(network, batch_rows, queue_rows)
    batcher.submit(image(0), 10)
    assert network.began.wait(5)
    return batcher


def test_what_waits_goes_in_one_pass_and_everyone_gets_their_own(network: HeldNetwork) -> None:
    batcher = held(network)
    futures = [batcher.submit(image(value), 10) for value in (1, 2, 3)]
    network.go.set()
    assert [float(future.result(5).outputs.logits[0, 0]) for future in futures] == [1, 2, 3]
    assert network.rows == [1, 3]
    assert futures[0].result().batch_rows == 3
    batcher.close()


def test_a_batch_never_grows_beyond_its_size(network: HeldNetwork) -> None:
    batcher = held(network)
    futures = [batcher.submit(image(value, rows=3), 10) for value in (1, 2)]
    network.go.set()
    assert [future.result(5).outputs.logits.shape for future in futures] == [(3, 1), (3, 1)]
    assert network.rows == [1, 3, 3]
    batcher.close()


def test_a_full_queue_turns_away_and_says_when_to_come_back(network: HeldNetwork) -> None:
    batcher = held(network, queue_rows=2)
    waiting = [batcher.submit(image(1), 10) for _ in range(2)]
    with pytest.raises(Unavailable) as refusal:
        batcher.submit(image(1), 10)
    assert (refusal.value.code, refusal.value.retry_after_s) == ("queue_full", 1)
    network.go.set()
    assert all(future.result(5) for future in waiting)
    batcher.close()


def test_who_waited_too_long_costs_the_network_nothing(network: HeldNetwork) -> None:
    batcher = held(network)
    late = batcher.submit(image(1), wait_s=0.01)
    time.sleep(0.05)
    network.go.set()
    with pytest.raises(Expired):
        late.result(5)
    batcher.close()
    assert network.rows == [1]


def test_what_was_called_off_costs_the_network_nothing(network: HeldNetwork) -> None:
    batcher = held(network)
    gone, kept = batcher.submit(image(1), 10), batcher.submit(image(2), 10)
    assert gone.cancel()
    network.go.set()
    assert float(kept.result(5).outputs.logits[0, 0]) == 2
    batcher.close()
    assert network.rows == [1, 1]


def test_what_was_called_off_leaves_its_place_to_others(network: HeldNetwork) -> None:
    batcher = held(network, queue_rows=1)
    assert batcher.submit(image(1), 10).cancel()
    kept = batcher.submit(image(2), 10)
    network.go.set()
    assert float(kept.result(5).outputs.logits[0, 0]) == 2
    batcher.close()


def test_a_failing_pass_fails_its_requests_and_the_engine_lives_on() -> None:
    calls: list[int] = []

    def network(pixels: Pixels) -> Outputs:
        calls.append(len(pixels))
        if len(calls) == 1:
            raise RuntimeError("out of memory")
        return Outputs(pixels, pixels, pixels)

    batcher = Batcher(network, 4, 4)
    with pytest.raises(Unavailable) as refused:  # no study can be the cause: it is to come again
        batcher.submit(image(1), 10).result(5)
    assert (refused.value.code, refused.value.retry_after_s) == ("network_failed", 5)
    assert batcher.submit(image(1), 10).result(5).batch_rows == 1
    batcher.close()


def test_a_closed_batcher_takes_nothing_more(network: HeldNetwork) -> None:
    batcher = held(network)
    network.go.set()
    batcher.close()
    with pytest.raises(Unavailable):
        batcher.submit(image(1), 10)
