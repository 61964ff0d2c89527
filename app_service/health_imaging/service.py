"""AWS HealthImaging and the folder in S3 between it and us."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from app_service.health_imaging.manifest import FAILED, notices_of
from app_service.health_imaging.settings import ImportSettings
from portal_wire.contract import Notice
from portal_wire.errors import Unavailable

MANIFEST, SEG = "job-output-manifest.json", "seg.dcm"
_MOST_BYTES = 2**20  # of what is read of one file of lines


class HealthImaging:
    """Each method raises Unavailable, its code AWS's own, for whatever AWS refuses. It needs the extra `bucket`."""

    def __init__(self, settings: ImportSettings) -> None:
        import boto3  # only here: most portals import nothing

        session = boto3.Session(region_name=os.environ.get("AWS_REGION"))  # boto3 knows AWS_DEFAULT_REGION alone
        self._settings = settings
        self._s3: Any = session.client("s3")
        self._imaging: Any = session.client("medical-imaging")

    def start(self, name: str, data: bytes) -> str:
        """Returns the import job's id; the same when it is asked for again under this name."""
        place = f"{self._settings.folder}/{name}"
        bucket, prefix = _split(f"{place}/in")
        with _refusals():
            self._s3.put_object(Bucket=bucket, Key=f"{prefix}/{SEG}", Body=data, ContentType="application/dicom")
            made = self._imaging.start_dicom_import_job(
                datastoreId=self._settings.datastore,
                dataAccessRoleArn=self._settings.role,
                clientToken=name,
                jobName=name,
                inputS3Uri=f"{place}/in/",
                outputS3Uri=f"{place}/out/",
            )
        return str(made["jobId"])

    def notices(self, import_id: str) -> list[Notice] | None:
        """What became of it; None while it is under way."""
        with _refusals():
            asked = {"datastoreId": self._settings.datastore, "jobId": import_id}
            job = self._imaging.get_dicom_import_job(**asked)["jobProperties"]
            if job["jobStatus"] in ("SUBMITTED", "IN_PROGRESS"):
                return None
            if job["jobStatus"] == "FAILED":
                why = job.get("message") or "it does not say why"
                return [Notice(code=FAILED, detail=f"HealthImaging did not take the DICOM result: {why}"[:400])]
            return self._told(str(job["outputS3Uri"]), import_id)

    def clear(self, name: str) -> None:
        """Remove what was laid into the folder for it, and what was told there."""
        bucket, prefix = _split(f"{self._settings.folder}/{name}")
        with _refusals():
            for key in self._keys(bucket, f"{prefix}/"):
                self._s3.delete_object(Bucket=bucket, Key=key)

    def _told(self, output: str, import_id: str) -> list[Notice]:
        bucket, prefix = _split(output)
        # The job's properties name the folder that was asked for, or the job's own below it.
        key = next((key for key in self._keys(bucket, f"{prefix}/") if key.endswith(f"/{MANIFEST}")), None)
        if key is None:
            return notices_of({}, (), ())
        summary = json.loads(self._text(bucket, key))["jobSummary"]
        below = key.removesuffix(MANIFEST)
        lines = {
            kind: [
                line
                for found in self._keys(bucket, f"{below}{kind}/")
                for line in self._text(bucket, found).splitlines()
            ]
            for kind in ("FAILURE", "SUCCESS")
        }
        return notices_of(summary, lines["FAILURE"], lines["SUCCESS"])

    def _keys(self, bucket: str, prefix: str) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [str(each["Key"]) for page in pages for each in page.get("Contents", [])]

    def _text(self, bucket: str, key: str) -> str:
        body = self._s3.get_object(Bucket=bucket, Key=key)["Body"]
        return bytes(body.read(_MOST_BYTES)).decode("utf-8", "replace")


@cache
def opened(settings: ImportSettings) -> HealthImaging:
    """One for each process: making clients takes longer than asking."""
    return HealthImaging(settings)


def _split(address: str) -> tuple[str, str]:
    """Bucket and prefix, the latter without slashes at its ends."""
    url = urlsplit(address)
    return url.netloc, url.path.strip("/")


@contextmanager
def _refusals() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise Unavailable("HealthImaging refused.", code=str(error.response["Error"]["Code"])[:64]) from error
    except (BotoCoreError, ValueError, KeyError) as error:
        raise Unavailable("HealthImaging cannot be reached.", code=type(error).__name__) from error
