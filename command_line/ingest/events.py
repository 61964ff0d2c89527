"""Which objects a queue's message tells of: S3's own events, the same by SNS, and EventBridge's.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html (keys are URL-encoded there)
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html (keys are plain there)
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus


@dataclass(frozen=True)
class Arrival:
    """An object that was made. `tag` changes with its content."""

    bucket: str
    key: str
    tag: str


def arrivals(body: str) -> list[Arrival]:
    """Returns the new objects that a message tells of; none for a test event or one about something else.

    Raises ValueError for what is no event: it must not be lost as if it were one.
    """
    event = json.loads(body)
    if not isinstance(event, dict):
        raise ValueError("Expected a JSON object")
    if event.get("Type") == "Notification":  # SNS wraps the event as text
        return arrivals(str(event["Message"]))
    if event.get("Event") == "s3:TestEvent":
        return []
    if "detail-type" in event:
        return [_arrival(event["detail"], plain=True)] if event["detail-type"] == "Object Created" else []
    if not isinstance(event.get("Records"), list):
        raise ValueError("Expected a list `Records`")
    made = [record for record in event["Records"] if str(record.get("eventName", "")).startswith("ObjectCreated:")]
    return [_arrival(record["s3"], plain=False) for record in made]


def _arrival(detail: dict[str, Any], plain: bool) -> Arrival:
    thing = detail["object"]
    key = str(thing["key"]) if plain else unquote_plus(str(thing["key"]))
    return Arrival(str(detail["bucket"]["name"]), key, str(thing.get("eTag") or thing.get("etag") or ""))
