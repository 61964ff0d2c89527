"""What a model says becomes a result only when it makes sense."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from app_service.domain.answer import to_result
from portal_wire.contract import Result
from portal_wire.errors import Internal
from tests.app_service.fake_ml import findings

ACCEPTED = datetime(2026, 1, 1, tzinfo=UTC)


def read(said: dict[str, Any]) -> Result:
    started, finished = ACCEPTED + timedelta(seconds=2), ACCEPTED + timedelta(seconds=5)
    return to_result(said, queued_at=ACCEPTED, started_at=started, finished_at=finished)


def test_waiting_and_total_times_are_added_to_the_models_own() -> None:
    timings = read(findings()).timings_s
    assert (timings.queue, timings.total, timings.network) == (2, 5, 0.02)


@pytest.mark.parametrize("label, known", [("normal", False), ("pneumonia", False), ("not_answered", True)])
def test_an_answer_about_an_image_that_was_not_recognised_is_no_answer(label: str, known: bool) -> None:
    with pytest.raises(Internal):
        read(findings() | {"label": label, "in_distribution": known})


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_a_probability_that_is_none_is_refused(probability: float) -> None:
    with pytest.raises(ValidationError):
        read(findings(probability))


def test_an_error_object_is_never_read_as_a_normal_answer() -> None:
    with pytest.raises((ValidationError, KeyError)):
        read({"error": "out of memory"})
