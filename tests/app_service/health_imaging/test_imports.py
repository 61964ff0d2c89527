"""A job's DICOM result into HealthImaging. S3 is moto's server; moto 5.2 has no HealthImaging, so its two answers are
recorded shapes, which botocore's model of the service checks, as it checks what is asked."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from dramatiq import Worker
from sqlalchemy import insert, select, update

from app_service.health_imaging.rounds import import_results
from app_service.health_imaging.service import MANIFEST, HealthImaging
from app_service.health_imaging.settings import ImportSettings
from app_service.parts import Parts
from app_service.settings import Settings
from app_service.storage.clock import now
from app_service.storage.database import reading, writing
from app_service.storage.records import artifacts, image_imports
from tests.app_service.conftest import Caller, film, wait_until
from tests.app_service.fake_ml import FakeMl
from tests.app_service.health_imaging.test_manifest import FAILURE, PRIMARY
from tests.app_service.test_object_store import CREDENTIALS, s3_endpoint

__all__ = ["s3_endpoint"]
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ROLE = "arn:aws:iam::123456789012:role/lightbox-import"
IMPORT_ID = "0" * 32


class Imaging:
    """What HealthImaging answers. `asked` holds each start."""

    def __init__(self, client: Any) -> None:
        self.asked: list[dict[str, Any]] = []
        self.status, self.message = "IN_PROGRESS", ""
        self.busy = False
        events = client.meta.events
        events.register("provide-client-params.medical-imaging.StartDICOMImportJob", self._note)
        events.register("before-call.medical-imaging.StartDICOMImportJob", self._started)
        events.register("before-call.medical-imaging.GetDICOMImportJob", self._stands)

    def _note(self, params: dict[str, Any], **_: Any) -> None:
        self.asked.append(params)

    def _started(self, **_: Any) -> tuple[Any, Any]:
        if self.busy:
            refusal = {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}
            raise ClientError(refusal, "StartDICOMImportJob")
        store = self.asked[-1]["datastoreId"]
        told = {"datastoreId": store, "jobId": IMPORT_ID, "jobStatus": "SUBMITTED", "submittedAt": datetime.now(UTC)}
        return recorded("StartDICOMImportJob", told)

    def _stands(self, **_: Any) -> tuple[Any, Any]:
        same = ("jobName", "datastoreId", "dataAccessRoleArn", "inputS3Uri", "outputS3Uri")
        job = {"jobId": IMPORT_ID, "jobStatus": self.status} | {name: self.asked[-1][name] for name in same}
        job |= {"message": self.message} if self.message else {}
        return recorded("GetDICOMImportJob", {"jobProperties": job})


def recorded(operation: str, answer: dict[str, Any]) -> tuple[Any, Any]:
    """Raises when botocore's model does not know the shape."""
    model = botocore.session.get_session().get_service_model("medical-imaging").operation_model(operation)
    report = ParamValidator().validate(answer, model.output_shape)
    assert not report.has_errors(), report.generate_report()
    return type("Http", (), {"status_code": 200})(), answer


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    boto3.client("s3").create_bucket(Bucket="films")
    made = boto3.resource("s3").Bucket("films")
    made.objects.delete()
    return made


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, health_imaging=ImportSettings("1" * 32, ROLE, "s3://films/import"))


@pytest.fixture
def service(bucket: Any, settings: Settings) -> Iterator[HealthImaging]:
    assert settings.health_imaging
    yield HealthImaging(settings.health_imaging)


@pytest.fixture
def imaging(service: HealthImaging) -> Imaging:
    return Imaging(service._imaging)


@pytest.fixture
def job(doctor: Caller, parts: Parts, worker: Worker, ml: FakeMl) -> dict[str, Any]:
    """A finished one with a DICOM Segmentation."""
    ml.heatmap = film(9, 16, 16)
    made = doctor.upload_one()
    wait_until(lambda: doctor.job(made["id"])["state"] == "succeeded", 60)
    finished = doctor.job(made["id"])
    key = {"job_id": made["id"], "attempt": finished["attempt"]}
    with writing(parts.engine) as connection:
        what = {"name": "seg.dcm", "media_type": "application/dicom", "size_bytes": 4}
        connection.execute(insert(artifacts).values(**key, **what))
    parts.store.put_bytes(f"jobs/{made['id']}/{finished['attempt']}/seg.dcm", b"DICM")
    return finished


def names(bucket: Any) -> list[str]:
    return [each.key for each in bucket.objects.all()]


def tell(bucket: Any, output: str, imported: int, failure: str = "", success: str = "") -> None:
    """What HealthImaging leaves below the folder that was asked for, in one of the job's own."""
    folder = f"{output.removeprefix('s3://films/')}{'1' * 32}-DicomImport-{IMPORT_ID}/"
    counts = {"numberOfScannedFiles": 1, "numberOfImportedFiles": imported}
    bucket.put_object(Key=folder + MANIFEST, Body=json.dumps({"jobSummary": counts}))
    for kind, lines in (("FAILURE", failure), ("SUCCESS", success)):
        if lines:
            bucket.put_object(Key=f"{folder}{kind}/{kind.lower()}.ndjson", Body=lines + "\n")


def warnings(doctor: Caller, job: dict[str, Any]) -> list[str]:
    return [each["code"] for each in doctor.job(job["id"])["result"]["warnings"]]


def test_a_refused_file_stands_as_a_notice_on_its_job(
    doctor: Caller, parts: Parts, job: dict[str, Any], service: HealthImaging, imaging: Imaging, bucket: Any
) -> None:
    import_results(parts, service)
    name = f"{job['id']}-{job['attempt']}"
    assert imaging.asked == [
        {
            "datastoreId": "1" * 32,
            "dataAccessRoleArn": ROLE,
            "clientToken": name,
            "jobName": name,
            "inputS3Uri": f"s3://films/import/{name}/in/",
            "outputS3Uri": f"s3://films/import/{name}/out/",
        }
    ]
    assert names(bucket) == [f"import/{name}/in/seg.dcm"]
    import_results(parts, service)  # it is under way
    assert warnings(doctor, job) == []
    tell(bucket, imaging.asked[0]["outputS3Uri"], 0, failure=FAILURE)
    imaging.status = "COMPLETED"  # which says nothing of its files
    import_results(parts, service)
    assert warnings(doctor, job) == ["import_failed"]
    assert "TransferSyntaxUID" in doctor.job(job["id"])["result"]["warnings"][0]["detail"]
    told = [entry for _, entry in parts.redis.xrange(next(parts.redis.scan_iter("lightbox:events:*")))]
    assert "import_failed" in told[-1]["job"]  # open pages hear of it
    assert names(bucket) == []
    import_results(parts, service)
    assert len(imaging.asked) == 1


def test_of_what_went_well_nothing_is_said_and_nothing_stays_in_the_folder(
    doctor: Caller, parts: Parts, job: dict[str, Any], service: HealthImaging, imaging: Imaging, bucket: Any
) -> None:
    import_results(parts, service)
    tell(bucket, imaging.asked[0]["outputS3Uri"], 1, success=PRIMARY)
    imaging.status = "COMPLETED"
    import_results(parts, service)
    assert warnings(doctor, job) == [] and names(bucket) == []
    with reading(parts.engine) as connection:
        assert connection.execute(select(image_imports.c.ended_at)).scalar_one() is not None
    assert doctor.request("DELETE", f"/v1/studies/{job['study_id']}").status_code == 204
    with reading(parts.engine) as connection:
        assert connection.execute(select(image_imports)).all() == []


def test_too_many_at_once_wait_and_are_given_up_after_a_day(
    doctor: Caller, parts: Parts, job: dict[str, Any], service: HealthImaging, imaging: Imaging
) -> None:
    imaging.busy = True
    import_results(parts, service)
    import_results(parts, service)
    assert len(imaging.asked) == 2 and warnings(doctor, job) == []
    assert imaging.asked[0] == imaging.asked[1]  # with one clientToken it is one import
    imaging.status = "COMPLETED"
    assert [each.code for each in service.notices(IMPORT_ID) or []] == ["import_incomplete"]  # there is no manifest
    imaging.status, imaging.message = "FAILED", "Access denied to S3"
    (told,) = service.notices(IMPORT_ID) or []
    assert told.code == "import_failed" and told.detail.endswith("Access denied to S3")
    with writing(parts.engine) as connection:
        connection.execute(update(image_imports).values(began_at=now() - timedelta(days=2)))
    import_results(parts, service)
    assert warnings(doctor, job) == ["import_incomplete"]
