"""Studies are read in the order they came, no more at once than there are cores."""

import os
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from ml_service.batcher import Expired
from ml_service.reading import in_turn

CORES = len(os.sched_getaffinity(0))
READ = (np.zeros((2, 3), np.uint8), np.zeros((1, 4, 4, 1), np.float32))


@pytest.fixture
def busy() -> Iterator[threading.Event]:
    """Every reader is at work until this event is set."""
    go_on, begun = threading.Event(), threading.Barrier(CORES + 1)

    def slow() -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
        begun.wait(10)
        go_on.wait(10)
        return READ

    threads = [threading.Thread(target=in_turn, args=(slow, 10)) for _ in range(CORES)]
    for thread in threads:
        thread.start()
    begun.wait(10)
    yield go_on
    go_on.set()
    for thread in threads:
        thread.join()


def test_it_returns_what_was_read_and_what_that_took() -> None:
    def read() -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
        time.sleep(0.05)
        return READ

    prepared = in_turn(read, 10)
    assert prepared.plane is READ[0] and prepared.pixels is READ[1]
    assert prepared.waited_s < 0.05 <= prepared.took_s


def test_a_study_that_does_not_decode_is_said_to_who_sent_it() -> None:
    def broken() -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
        raise ValueError("no image")

    with pytest.raises(ValueError, match="no image"):
        in_turn(broken, 10)


def test_while_every_reader_is_busy_studies_wait_in_order(busy: threading.Event) -> None:
    began: list[int] = []
    waited: list[float] = []

    def asks(number: int) -> None:
        def read() -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
            began.append(number)
            return READ

        waited.append(in_turn(read, 10).waited_s)

    threads = [threading.Thread(target=asks, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    assert began == []
    busy.set()
    for thread in threads:
        thread.join()
    # Several readers may begin two neighbours in either order, but nobody overtakes more than they are.
    assert all(abs(place - number) < CORES for place, number in enumerate(began)) and min(waited) > 0.01


def test_a_study_whose_turn_does_not_come_is_given_up_unread(busy: threading.Event) -> None:
    read: list[int] = []

    def never() -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
        read.append(1)
        return READ

    with pytest.raises(Expired):
        in_turn(never, 0.05)
    busy.set()
    in_turn(lambda: READ, 10)
    assert read == []
