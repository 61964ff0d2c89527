"""Images that arrive by themselves, from the folder or the bucket to their results, through the real portal."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from command_line.ingest.bucket import BucketBox
from command_line.ingest.flow import Flow
from command_line.ingest.folder import FolderBox
from command_line.ingest.rules import Rule, Rules
from command_line.portal import Portal as FromOutside
from tests.end_to_end.doctor import FILMS, Doctor
from tests.end_to_end.portal import Portal

RULES = Rules(rule=[Rule(name="old/*", models=["pneumonia", "pneumonia-cnn4"])])


@pytest.fixture
def outside(portal: Portal, doctor: Doctor) -> Iterator[FromOutside]:
    there = studies(doctor)
    yield FromOutside(portal.url, doctor.token, str(portal.authority))
    for study in studies(doctor) - there:
        doctor.call("DELETE", f"/v1/studies/{study}")


def studies(doctor: Doctor) -> set[str]:
    return {item["id"] for item in doctor.call("GET", "/v1/studies?limit=500").json()["items"]}


def finish(flow: Flow, within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while flow.step():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_folder_from_incoming_to_results(outside: FromOutside, tmp_path: Path) -> None:
    box = FolderBox(tmp_path, quiet_s=0)
    (tmp_path / "incoming" / "old").mkdir()
    (tmp_path / "incoming" / "film.jpg").write_bytes(FILMS[0].read_bytes())
    (tmp_path / "incoming" / "old" / "film.jpg").write_bytes(FILMS[1].read_bytes())
    (tmp_path / "incoming" / "notes.txt").write_text("no picture")
    finish(Flow(outside, box, RULES))
    assert not [path for path in (tmp_path / "incoming").rglob("*") if path.is_file()]
    assert "no medical picture" in (tmp_path / "rejected" / "notes.txt.reason.txt").read_text()
    assert {path.name for path in (tmp_path / "processed").rglob("*.jpg")} == {"film.jpg"}
    (job,) = (tmp_path / "results" / "film.jpg").iterdir()
    assert json.loads((job / "result.json").read_text())["model"] == "pneumonia"
    both = [
        json.loads((job / "result.json").read_text()) for job in (tmp_path / "results" / "old" / "film.jpg").iterdir()
    ]
    assert {each["model"] for each in both} == {"pneumonia", "pneumonia-cnn4"}


def test_a_watcher_that_died_sends_nothing_twice(outside: FromOutside, doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming" / "film.jpg").write_bytes(FILMS[2].read_bytes())
    before = studies(doctor)
    Flow(outside, FolderBox(tmp_path, quiet_s=0), Rules()).step()  # sent, and then it is gone
    assert (tmp_path / "incoming" / "film.jpg").exists()
    finish(Flow(outside, FolderBox(tmp_path, quiet_s=0), Rules()))
    assert len(studies(doctor) - before) == 1
    assert (tmp_path / "processed" / "film.jpg").exists()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """S3 and SQS by moto, over HTTP."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    told = {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_DEFAULT_REGION": "eu-central-1"}
    told |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    yield
    server.stop()


def test_a_bucket_from_its_events_to_results(aws: None, outside: FromOutside) -> None:
    s3, sqs = boto3.client("s3"), boto3.client("sqs")
    s3.create_bucket(Bucket="hospital", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    queue = sqs.create_queue(QueueName="arrivals")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    on_create: dict[str, Any] = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket="hospital", NotificationConfiguration={"QueueConfigurations": [on_create]}
    )
    s3.upload_file(str(FILMS[0]), "hospital", "ward 7/incoming/a film+ü.jpg")
    s3.put_object(Bucket="hospital", Key="ward 7/incoming/notes.txt", Body=b"no picture")
    sqs.send_message(QueueUrl=queue, MessageBody="no event")
    box = BucketBox("s3://hospital/ward 7", queue)
    finish(Flow(outside, box, Rules()))
    for _ in range(3):  # what the watcher itself has made is told of as well, and is nothing that arrived
        assert not list(box.arrived({"-"}, 50))
    keys = {entry["Key"] for entry in s3.list_objects_v2(Bucket="hospital")["Contents"]}
    assert {
        "ward 7/processed/a film+ü.jpg",
        "ward 7/rejected/notes.txt",
        "ward 7/rejected/notes.txt.reason.txt",
    } <= keys
    results = [key for key in keys if key.startswith("ward 7/results/a film+ü.jpg/")]
    assert sum(key.endswith("/result.json") for key in results) == 1
    assert not [key for key in keys if "/incoming/" in key]
    counted = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    left = int(counted["ApproximateNumberOfMessages"]) + int(counted["ApproximateNumberOfMessagesNotVisible"])
    assert left == 1  # the one that is no event is left to the queue's own rules
