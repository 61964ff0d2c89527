"""The shapes in which a bucket's events come, as AWS documents them."""

import json
from typing import Any

import pytest

from command_line.ingest.events import Arrival, arrivals


def record(key: str, name: str = "ObjectCreated:Put") -> dict[str, Any]:
    thing = {"key": key, "size": 1024, "eTag": "d41d8cd98f00b204e9800998ecf8427e", "sequencer": "0A1B2C3D4E5F678901"}
    s3 = {"s3SchemaVersion": "1.0", "configurationId": "c", "bucket": {"name": "hospital"}, "object": thing}
    return {"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": name, "s3": s3}


def test_keys_are_decoded_and_a_message_may_tell_of_several() -> None:
    body = json.dumps({"Records": [record("incoming/a+b%C3%BC.png"), record("incoming/c.dcm")]})
    tag = "d41d8cd98f00b204e9800998ecf8427e"
    assert arrivals(body) == [Arrival("hospital", "incoming/a bü.png", tag), Arrival("hospital", "incoming/c.dcm", tag)]


def test_what_was_removed_has_not_arrived() -> None:
    assert arrivals(json.dumps({"Records": [record("incoming/a.png", "ObjectRemoved:Delete")]})) == []


def test_the_test_event_of_a_new_notification_tells_of_nothing() -> None:
    assert arrivals(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "hospital"})) == []


def test_an_event_by_sns_is_the_text_inside() -> None:
    inner = json.dumps({"Records": [record("incoming/a.png")]})
    assert [each.key for each in arrivals(json.dumps({"Type": "Notification", "Message": inner}))] == ["incoming/a.png"]


def test_eventbridge_does_not_encode_keys() -> None:
    detail = {"bucket": {"name": "hospital"}, "object": {"key": "incoming/a+b.png", "etag": "e"}, "reason": "PutObject"}
    body = json.dumps({"detail-type": "Object Created", "source": "aws.s3", "detail": detail})
    assert arrivals(body) == [Arrival("hospital", "incoming/a+b.png", "e")]


@pytest.mark.parametrize("body", ["not json", "[]", "{}", '{"Records": 7}'])
def test_what_is_no_event_is_not_taken_for_one(body: str) -> None:
    with pytest.raises(ValueError):
        arrivals(body)
