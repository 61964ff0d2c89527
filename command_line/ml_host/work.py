"""Is there work? An event may say so at once; the queue of files and the portal's own figures say so at any time."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from command_line.ingest.events import arrivals
from command_line.ml_host.place import Place

FIGURES = ("lightbox_app_queue_jobs", "lightbox_app_running_jobs")
_STALE = timedelta(minutes=5)


def work_in(event: dict[str, Any]) -> bool:
    """Whether an event tells of work: an object that came (S3's own event, by SQS, SNS or EventBridge), or an alarm
    that jobs wait. A clock's tick tells of none. Raises ValueError for what is no event."""
    if "alarmData" in event:
        return bool(event["alarmData"]["state"]["value"] == "ALARM")
    if event.get("detail-type") == "Scheduled Event":
        return False
    messages = [each for each in event.get("Records", []) if each.get("eventSource") == "aws:sqs"]
    bodies = [str(each["body"]) for each in messages] or [json.dumps(event)]
    return any(arrivals(body) for body in bodies)


def waits(place: Place, sqs: Any, cloudwatch: Any) -> bool:
    """Whether files or jobs wait right now, as far as can be seen."""
    if place.queue_url and _files(place, sqs) > 0:
        return True
    return any(values and values[max(values)] > 0 for values in _figures(place, cloudwatch, _STALE))


def is_idle(place: Place, sqs: Any, cloudwatch: Any) -> bool:
    """Whether nothing waited or ran for LIGHTBOX_IDLE_MINUTES. Without figures, or with too few or old ones, it is not:
    nothing is switched off by guess."""
    if place.queue_url and _files(place, sqs) > 0:
        return False
    window = timedelta(minutes=place.idle_minutes)
    found = _figures(place, cloudwatch, window)
    fresh = datetime.now(UTC) - _STALE
    return bool(found) and all(
        len(values) >= place.idle_minutes // 2 and max(values) >= fresh and not any(values.values()) for values in found
    )


def _files(place: Place, sqs: Any) -> int:
    """Messages that wait or are being worked on."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = sqs.get_queue_attributes(QueueUrl=place.queue_url, AttributeNames=names)["Attributes"]
    return sum(int(told[name]) for name in names)


def _figures(place: Place, cloudwatch: Any, window: timedelta) -> list[dict[datetime, float]]:
    """Of each figure the largest of each minute; nothing where no portal was named."""
    now = datetime.now(UTC)
    found = []
    for name in FIGURES if place.portal else ():
        answer = cloudwatch.get_metric_statistics(
            Namespace="Lightbox",
            MetricName=name,
            Dimensions=[{"Name": "Portal", "Value": place.portal}],
            StartTime=now - window,
            EndTime=now,
            Period=60,
            Statistics=["Maximum"],
        )
        found.append({each["Timestamp"]: float(each["Maximum"]) for each in answer["Datapoints"]})
    return found
