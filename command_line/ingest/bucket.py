"""A bucket whose object-created events come by an SQS queue: long polls, several objects a message, at least once.

A message is deleted when all that it tells of is done; until then the queue keeps it from others, and hands it out
again should this watcher die. An event that comes again for an object that has moved on is done at once.
"""

import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import ClientError

from command_line.ingest import INCOMING, PROCESSED, REJECTED, RESULTS
from command_line.ingest.box import Parcel
from command_line.ingest.events import Arrival, arrivals
from command_line.ingest.folder import REASON

LONG_POLL_S, HOLD_S = 5, 120
MESSAGES = 10  # SQS gives no more at once


_LOG = logging.getLogger("lightbox.ingest")


@dataclass
class Message:
    """A message, how many of its objects are still on their way, and when the queue was last told that we have it."""

    receipt: str
    open: int
    told_at: float = field(default_factory=time.monotonic)


@dataclass
class Origin:
    arrival: Arrival
    message: Message
    folder: Path  # the object's copy on this disk


class BucketBox:
    """`place` is s3://BUCKET[/PREFIX]; whom to trust with it is boto3's to find (roles, environment)."""

    def __init__(self, place: str, queue: str) -> None:
        url = urlsplit(place)
        self._bucket, self._prefix = url.netloc, url.path.strip("/") + "/" if url.path.strip("/") else ""
        self._queue = queue
        region = os.environ.get("AWS_REGION")  # boto3 itself knows AWS_DEFAULT_REGION alone
        self._s3, self._sqs = boto3.client("s3", region_name=region), boto3.client("sqs", region_name=region)
        self._copies = tempfile.TemporaryDirectory(prefix="lightbox-")

    def arrived(self, known: set[str], most: int) -> Iterator[Parcel]:
        if most <= 0:
            return
        asked = {"QueueUrl": self._queue, "WaitTimeSeconds": 0 if known else LONG_POLL_S, "VisibilityTimeout": HOLD_S}
        found = self._sqs.receive_message(**asked, MaxNumberOfMessages=min(MESSAGES, most))
        taken = set(known)
        for message in found.get("Messages", []):
            try:
                told = [each for each in arrivals(message["Body"]) if self._is_ours(each)]
            except (ValueError, KeyError, TypeError):  # it comes back, and ends in the queue's dead-letter queue
                _LOG.error("ingest_not_an_event")
                continue
            held = Message(message["ReceiptHandle"], len(told))
            if not told:
                self._delete(held)
            for arrival in told:
                name = arrival.key.removeprefix(self._prefix + INCOMING + "/")
                folder = None if name in taken else self._fetched(arrival)
                if folder is None:  # moved on already, or under way: the event came again
                    self._one_done(held)
                    continue
                taken.add(name)
                file = next(path for path in folder.iterdir())
                yield Parcel(name, (file,), arrival.tag, Origin(arrival, held, folder))

    def keep_result(self, parcel: Parcel, job_id: str, folder: Path) -> None:
        for file in (path for path in folder.rglob("*") if path.is_file()):
            key = f"{self._prefix}{RESULTS}/{parcel.name}/{job_id}/{file.relative_to(folder).as_posix()}"
            self._s3.upload_file(str(file), self._bucket, key)

    def processed(self, parcel: Parcel) -> None:
        self._move(parcel, PROCESSED)

    def rejected(self, parcel: Parcel, reason: str) -> None:
        key = f"{self._prefix}{REJECTED}/{parcel.name}{REASON}"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=reason.encode(), ContentType="text/plain; charset=utf-8")
        self._move(parcel, REJECTED)

    def still_at_it(self, parcel: Parcel) -> None:
        message: Message = parcel.origin.message
        if time.monotonic() - message.told_at > HOLD_S / 4:
            asked = {"QueueUrl": self._queue, "ReceiptHandle": message.receipt}
            self._sqs.change_message_visibility(**asked, VisibilityTimeout=HOLD_S)
            message.told_at = time.monotonic()

    def _is_ours(self, arrival: Arrival) -> bool:
        inside = arrival.key.startswith(f"{self._prefix}{INCOMING}/") and not arrival.key.endswith("/")
        return arrival.bucket == self._bucket and inside

    def _fetched(self, arrival: Arrival) -> Path | None:
        """Returns a folder with the object's copy; None when the object is no longer there."""
        folder = Path(self._copies.name) / hashlib.sha256(arrival.key.encode()).hexdigest()
        folder.mkdir(exist_ok=True)
        try:
            self._s3.download_file(arrival.bucket, arrival.key, str(folder / arrival.key.rsplit("/", 1)[1]))
        except ClientError as error:
            shutil.rmtree(folder)
            if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                return None
            raise
        return folder

    def _move(self, parcel: Parcel, place: str) -> None:
        origin: Origin = parcel.origin
        source = {"Bucket": self._bucket, "Key": origin.arrival.key}
        self._s3.copy(source, self._bucket, f"{self._prefix}{place}/{parcel.name}")  # in parts where it is large
        self._s3.delete_object(**source)
        shutil.rmtree(origin.folder, ignore_errors=True)
        self._one_done(origin.message)

    def _one_done(self, message: Message) -> None:
        message.open -= 1
        if message.open <= 0:
            self._delete(message)

    def _delete(self, message: Message) -> None:
        self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message.receipt)
