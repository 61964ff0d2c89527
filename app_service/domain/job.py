"""How a job may change, and when trying again makes sense."""

from portal_wire.contract import Failure, JobState
from portal_wire.errors import Conflict

MAX_ATTEMPTS = 3  # automatic ones; a person's retry grants as many again
LEASE_S = 12.0  # a worker that is silent this long has lost its job: with the sweep below, well under 25 s
RENEW_EVERY_S = 4.0
RECONCILE_EVERY_S = 5.0
LAST_TRIES_APART_S = 2.0  # of jobs that broke off together: one of them may be what ends the worker, and ends no other
MODEL_AWAY_LIMIT_S = 15 * 60.0

OPEN = (JobState.QUEUED, JobState.RUNNING)
CANCELLABLE = OPEN
RETRYABLE = (JobState.FAILED, JobState.CANCELLED)

FAILED_REPEATEDLY = Failure(
    code="failed_repeatedly",
    detail=f"The model run broke off {MAX_ATTEMPTS} times. The image is kept; please try again or tell your support.",
)
MODEL_AWAY = Failure(
    code="model_unavailable",
    detail="The model server could not be reached for 15 minutes. The image is kept; please try again.",
)


def require(state: JobState, allowed: tuple[JobState, ...], verb: str) -> None:
    """Raises Conflict when a job in `state` cannot be `verb` (as in "cancelled")."""
    if state not in allowed:
        raise Conflict(f"A job that is {state} cannot be {verb}.", code="wrong_state")


def wait_before_next_try_s(away_for_s: float) -> float:
    """Seconds until a job asks an absent model server again: soon at first, every 20 s in the long run."""
    return min(max(0.5, away_for_s / 2), 20.0)
