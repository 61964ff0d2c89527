"""What the stand-in for App answers about files that go straight to the store; the store itself is moto's server."""

from dataclasses import dataclass, field
from typing import Any

import boto3
from flask import Flask, Response, jsonify, request

from portal_wire.errors import Conflict
from portal_wire.ids import new_id
from tests.ui_service.fake_server import known


@dataclass
class Bucket:
    """At `endpoint`. `began` holds what each permit was asked for, by id."""

    endpoint: str
    name: str = field(default_factory=lambda: f"films-{new_id()}")
    began: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        self.client: Any = boto3.client("s3", endpoint_url=self.endpoint, **keys)
        self.client.create_bucket(Bucket=self.name)

    def permit(self, key: str, media_type: str) -> dict[str, Any]:
        said = {"Content-Type": media_type, "success_action_status": "201"}
        conditions = [{name: value} for name, value in said.items()]
        made = self.client.generate_presigned_post(self.name, key, Fields=said, Conditions=conditions)
        return dict(made)

    def read(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=self.name, Key=key)["Body"].read())


def equip(app: Flask, fake: Any) -> None:
    """Add the routes."""

    @app.post("/v1/uploads")
    def begin_direct() -> tuple[Response, int]:
        wanted, upload_id = request.get_json(), new_id()
        bucket = _bucket(fake)
        bucket.began[upload_id] = wanted
        return jsonify(
            id=upload_id, ends_at="2030-01-01T00:00:00Z", **bucket.permit(upload_id, wanted["media_type"])
        ), 201

    @app.post("/v1/uploads/<upload_id>/complete")
    def complete_direct(upload_id: str) -> tuple[Response, int]:
        bucket = _bucket(fake)
        wanted = known(bucket.began, upload_id)
        data = bucket.read(upload_id)
        study = fake.add_study(wanted["filename"], data, size_bytes=len(data))
        jobs = [fake.add_job(study, position=1).model_dump(mode="json")]
        return jsonify(studies=[study.model_dump(mode="json")], jobs=jobs, rejected=[]), 201

    @app.get("/v1/studies/<study_id>/original/link")
    def link_of_original(study_id: str) -> Response:
        bucket = _bucket(fake)
        bucket.client.put_object(Bucket=bucket.name, Key=study_id, Body=fake.images[study_id])
        asked = {"Bucket": bucket.name, "Key": study_id, "ResponseContentDisposition": "attachment"}
        return jsonify(url=bucket.client.generate_presigned_url("get_object", Params=asked), expires_at="2030-01-01")


def _bucket(fake: Any) -> Bucket:
    if fake.bucket is None:
        raise Conflict("No bucket is open here: they come and go by the portal alone.", code="not_direct")
    return fake.bucket  # type: ignore[no-any-return]
