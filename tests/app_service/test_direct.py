"""Large files past the portal, with a real bucket behind it: moto's server, over HTTP.

moto stores whatever is posted: it checks neither signature nor policy. So what S3 would hold a sender to is read from
the policy itself, and its signature is reckoned anew by the published recipe, key by key.
"""

import base64
import hashlib
import hmac
import json
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from apiflask import APIFlask
from sqlalchemy import update

from app_service.parts import Parts
from app_service.running.reconcile import reconcile
from app_service.settings import Settings
from app_service.storage.clock import now
from app_service.storage.database import reading, writing
from app_service.storage.records import audit, direct_uploads
from app_service.storage.store_keys import TextKey
from app_service.uploads import direct
from app_service.web import create_app
from tests.app_service.conftest import Caller, film, sign_in
from tests.app_service.test_object_store import s3_endpoint, s3_url

__all__ = ["s3_endpoint", "s3_url"]
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
FILM = film(7)


@pytest.fixture
def settings(settings: Settings, s3_url: str, s3_endpoint: str) -> Settings:
    return replace(settings, store_url=s3_url, store_origin=s3_endpoint, direct_upload_bytes=10)


def begin(caller: Caller, data: bytes = FILM, **changed: Any) -> dict[str, Any]:
    asked = {"filename": "film.png", "size_bytes": len(data), "media_type": "image/png", **changed}
    answer = caller.post("/v1/uploads", json=asked)
    assert answer.status_code == 201, answer.text
    return dict(answer.json or {})


def send(permit: dict[str, Any], data: bytes = FILM) -> None:
    answer = requests.post(permit["url"], data=permit["fields"], files={"file": ("x", data)}, timeout=10)
    assert answer.status_code == 201, answer.text


def complete(caller: Caller, permit: dict[str, Any]) -> Any:
    return caller.post(f"/v1/uploads/{permit['id']}/complete")


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, (answer.json or {}).get("code", "")


def test_what_lies_in_the_bucket_becomes_a_study_once_it_is_complete(doctor: Caller, parts: Parts) -> None:
    permit = begin(doctor, models=["pneumonia"], patient_reference="case 7", filename="../ward/film.png")
    send(permit)
    assert (doctor.get("/v1/studies").json or {})["items"] == []
    answer = complete(doctor, permit)
    assert answer.status_code == 201, answer.text
    (study,), (job,) = answer.json["studies"], answer.json["jobs"]
    assert (study["filename"], study["patient_reference"], study["size_bytes"]) == ("film.png", "case 7", len(FILM))
    assert study["sha256"] == hashlib.sha256(FILM).hexdigest() and job["model"] == "pneumonia"
    assert doctor.get(f"/v1/studies/{study['id']}/original").data == FILM
    assert parts.store.names("uploads") == []
    again = complete(doctor, permit)
    assert again.status_code == 201
    assert (again.json["studies"], again.json["jobs"][0]["id"]) == (answer.json["studies"], job["id"])
    with reading(parts.engine) as connection:
        acts = [(row.action, row.outcome) for row in connection.execute(audit.select().order_by(audit.c.seq))]
    done = [("begin_upload", "done"), ("list", "done"), ("upload", "done"), ("download", "done")]
    assert acts[-4:] == done


def test_completed_eight_times_at_once_it_is_one_study(app: APIFlask, doctor: Caller) -> None:
    send(permit := begin(doctor))
    came: list[int] = []
    callers = [Caller(app.test_client(), doctor.headers) for _ in range(8)]
    threads = [
        threading.Thread(target=lambda one=one: came.append(complete(one, permit).status_code)) for one in callers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert came == [201] * 8
    assert len((doctor.get("/v1/studies").json or {})["items"]) == 1


def test_the_sandbox_judges_what_arrived_like_any_other(doctor: Caller, parts: Parts) -> None:
    data = b"<html>no picture</html>"
    send(permit := begin(doctor, data), data)
    assert code(complete(doctor, permit))[0] == 422
    assert parts.store.names("uploads") == [] and (doctor.get("/v1/studies").json or {})["items"] == []
    assert code(complete(doctor, permit)) == (409, "was_refused")
    permit = begin(doctor)
    assert code(complete(doctor, permit)) == (409, "not_arrived")
    send(permit, FILM + b"more")  # S3 refuses this by the policy; the portal does not trust in that
    assert code(complete(doctor, permit)) == (409, "size_differs")
    send(permit)
    assert complete(doctor, permit).status_code == 201


def test_nobody_else_completes_or_drops_it(doctor: Caller, other: Caller) -> None:
    send(permit := begin(doctor))
    for method, path in (("POST", f"/v1/uploads/{permit['id']}/complete"), ("DELETE", f"/v1/uploads/{permit['id']}")):
        assert code(other.request(method, path)) == (404, "not_found")
    study = complete(doctor, permit).json["studies"][0]["id"]
    assert code(complete(other, permit)) == (404, "not_found")
    assert code(other.get(f"/v1/studies/{study}/original/link")) == (404, "not_found")


def test_size_type_and_key_are_bound_into_the_signature(doctor: Caller, s3_url: str) -> None:
    permit = begin(doctor)
    fields = permit["fields"]
    policy = json.loads(base64.b64decode(fields["policy"]))
    key = f"portal/uploads/{permit['id']}/original"
    for bound in (
        {"Content-Type": "image/png"},
        {"key": key},
        {"bucket": urlsplit(s3_url).netloc},
        ["content-length-range", len(FILM), len(FILM)],
    ):
        assert bound in policy["conditions"]
    assert fields["key"] == key and fields["Content-Type"] == "image/png"
    named = {name for each in policy["conditions"] if isinstance(each, dict) for name in each}
    assert set(fields) - {"policy", "x-amz-signature"} <= named  # no field is free
    day, region = fields["x-amz-credential"].split("/")[1:3]
    signing = b"AWS4test"
    for part in (day, region, "s3", "aws4_request"):
        signing = hmac.digest(signing, part.encode(), "sha256")
    assert hmac.digest(signing, fields["policy"].encode(), "sha256").hex() == fields["x-amz-signature"]


def test_what_nobody_completes_or_what_comes_late_is_thrown_away(doctor: Caller, parts: Parts) -> None:
    late, judged, kept = begin(doctor), begin(doctor), begin(doctor)
    for permit in (late, judged, kept):
        send(permit)
    complete(doctor, judged)
    send(judged)  # its permit still holds
    with writing(parts.engine) as connection:
        theirs = direct_uploads.c.id.in_([late["id"], judged["id"]])
        connection.execute(update(direct_uploads).where(theirs).values(ends_at=now() - timedelta(seconds=1)))
    assert code(complete(doctor, late)) == (404, "not_found")
    reconcile(parts)
    assert parts.store.names("uploads") == [kept["id"]]
    with reading(parts.engine) as connection:
        assert [row.id for row in connection.execute(direct_uploads.select())] == [kept["id"]]
    assert doctor.request("DELETE", f"/v1/uploads/{kept['id']}").status_code == 204
    assert parts.store.names("uploads") == []


def test_limits_hold_before_anything_travels(
    doctor: Caller, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {"filename": "x", "size_bytes": settings.direct_upload_bytes - 1}
    assert code(doctor.post("/v1/uploads", json=small)) == (409, "not_direct")
    large = {"filename": "x", "size_bytes": settings.max_file_bytes + 1}
    assert code(doctor.post("/v1/uploads", json=large)) == (413, "file_too_large")
    for wrong in ({"media_type": "image/png\r\nX: y"}, {"size_bytes": -1}, {"key": "../x"}):
        assert doctor.post("/v1/uploads", json={"filename": "x", "size_bytes": 100} | wrong).status_code == 422, wrong
    monkeypatch.setattr(direct, "_MOST_OPEN", 2)
    begin(doctor)
    begin(doctor)
    assert code(doctor.post("/v1/uploads", json={"filename": "x", "size_bytes": 100})) == (429, "too_many_requests")


def test_a_link_brings_the_file_to_be_saved_and_never_shown(doctor: Caller) -> None:
    send(permit := begin(doctor, filename='fïlm "x".png'))
    study = complete(doctor, permit).json["studies"][0]["id"]
    link = doctor.get(f"/v1/studies/{study}/original/link").json or {}
    answer = requests.get(link["url"], timeout=10)
    assert answer.content == FILM
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''f%C3%AFlm%20%22x%22.png"
    asked = parse_qs(urlsplit(link["url"]).query)
    assert asked["X-Amz-Expires"] == ["300"] and asked["X-Amz-SignedHeaders"] == ["host"]


def test_where_files_are_sealed_it_is_refused_with_the_reason(parts: Parts, settings: Settings) -> None:
    doctor = sign_in(create_app(replace(settings, store_key=TextKey("a key of the tests"))), "doctor")
    answer = doctor.post("/v1/uploads", json={"filename": "x", "size_bytes": 100})
    assert code(answer) == (409, "not_direct") and "sealed" in (answer.json or {})["detail"]
    study = doctor.upload_one()["study_id"]
    assert code(doctor.get(f"/v1/studies/{study}/original/link")) == (409, "not_direct")
