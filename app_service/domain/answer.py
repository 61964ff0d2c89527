"""What a model said, as the Result that a doctor reads."""

from datetime import datetime
from typing import Any

from portal_wire.contract import NOT_ANSWERED, SEGMENTED, Result
from portal_wire.errors import Internal

_FROM_MODEL = set(Result.model_fields) - {"timings_s"}


def to_result(findings: dict[str, Any], *, queued_at: datetime, started_at: datetime, finished_at: datetime) -> Result:
    """Check the model's JSON and add the waiting times. Raises Internal when it makes no sense as an answer."""
    timings = findings["timings_s"] | {
        "queue": max(0.0, (started_at - queued_at).total_seconds()),
        "total": max(0.0, (finished_at - queued_at).total_seconds()),
    }
    said = {name: value for name, value in findings.items() if name in _FROM_MODEL}
    result = Result.model_validate(said | {"timings_s": timings})
    one_says_no = (result.label == NOT_ANSWERED) != (not result.in_distribution)
    if one_says_no or (result.label == SEGMENTED) != bool(result.measurements):
        raise Internal("The model's answer contradicts itself.", code="contradictory_answer")
    return result
