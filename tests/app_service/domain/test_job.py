"""The rules of a job's life."""

import pytest

from app_service.domain.job import CANCELLABLE, LEASE_S, RECONCILE_EVERY_S, RENEW_EVERY_S, RETRYABLE, require
from app_service.domain.job import wait_before_next_try_s as wait
from portal_wire.contract import JobState
from portal_wire.errors import Conflict


@pytest.mark.parametrize("state", JobState)
def test_a_job_can_be_cancelled_or_retried_but_never_both(state: JobState) -> None:
    assert not (state in CANCELLABLE and state in RETRYABLE)


def test_a_finished_answer_is_neither_cancelled_nor_run_again() -> None:
    for allowed in (CANCELLABLE, RETRYABLE):
        with pytest.raises(Conflict, match="succeeded"):
            require(JobState.SUCCEEDED, allowed, "changed")


def test_a_silent_worker_is_noticed_within_25_seconds() -> None:
    assert LEASE_S + RECONCILE_EVERY_S < 25
    assert RENEW_EVERY_S * 2 < LEASE_S


def test_an_absent_model_is_asked_soon_and_then_ever_more_rarely() -> None:
    waits = [wait(seconds) for seconds in (0, 5, 60, 900)]
    assert waits == sorted(waits) and waits[0] < 1 and waits[-1] == 20
