"""What the figures of a volume's way say of memory and of a box."""

from typing import Any

import pytest

from benchmarks import volume_boxes, volumes
from benchmarks.volume_boxes import Took


def test_memory_is_told_as_growth_and_of_ml_also_as_a_whole() -> None:
    """A base that is too low makes the growth too large; the whole does not depend on it."""
    before = {"App": 200.0, "intake": 50.0, "worker": 120.0, "ML": 1500.0}
    told = volumes.memory_taken(before, before | {"intake": 650.0, "ML": 2400.0})
    assert told == {
        "memory of App, more than idle": "0 MB",
        "memory of intake, more than idle": "600 MB",
        "memory of worker, more than idle": "0 MB",
        "memory of ML, more than idle": "900 MB",
        "memory of ML at most": "2400 MB",
    }


def test_a_box_is_told_in_thousandths_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """In hundredths, a second box on a film and a first one were too close to tell."""
    pair = [Took(0.0962, 0.026), Took(0.0718, 0.013)]
    monkeypatch.setattr(volume_boxes, "_films", lambda *_: ["film"] * 3)
    monkeypatch.setattr(volume_boxes, "_pair", lambda *_: pair)
    nowhere: Any = None
    told = volume_boxes.boxes(nowhere, "volume", nowhere)
    assert told["first box on a slice of the CT"] == "0.096 s (at most 0.096), in the network 26 ms"
    assert told["second box on a slice of the CT"] == "0.072 s (at most 0.072), in the network 13 ms"
    assert told["the very first box in a CT, which was read for its tissues"] == "0.096 s"
    told = volume_boxes.boxes_on_another_day(nowhere, "volume")
    assert told == {"box in a CT that the ML tier has to get": "0.084 s (at most 0.096, of 10)"}
