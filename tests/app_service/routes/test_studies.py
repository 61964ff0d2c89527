"""Uploading, listing and deleting studies."""

import hashlib
import io
import threading

import numpy as np
import pytest
from apiflask import APIFlask
from PIL import Image
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from app_service.parts import Parts
from app_service.storage.database import reading
from app_service.storage.records import audit, studies
from portal_wire.errors import NotFound
from tests.app_service.conftest import Caller, film
from tests.app_service.fake_ml import FakeMl

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_study_says_what_was_uploaded(doctor: Caller) -> None:
    answer = doctor.upload((film(), "film.png"), form={"patient_reference": " R-7 "})
    assert answer.status_code == 201 and answer.json
    (study,) = answer.json["studies"]
    assert study["sha256"] == hashlib.sha256(film()).hexdigest()
    assert (study["size_bytes"], study["shape"][:2]) == (len(film()), [96, 128])
    assert (study["filename"], study["patient_reference"]) == ("film.png", "R-7")
    assert study["suggested_models"] == ["pneumonia"]
    assert doctor.get(f"/v1/studies/{study['id']}").json == study


def test_the_same_file_name_twice_makes_two_studies_with_their_own_images(doctor: Caller) -> None:
    """The trap of a system that stored each upload under its file's name."""
    for seed in (1, 2):
        assert doctor.upload((film(seed), "film.png")).status_code == 201
    second, first = doctor.get("/v1/studies").json["items"]  # type: ignore[index]
    assert first["id"] != second["id"]
    for seed, study in ((1, first), (2, second)):
        assert doctor.get(f"/v1/studies/{study['id']}/original").data == film(seed)


def test_the_bytes_decide_and_never_the_name(doctor: Caller) -> None:
    """The trap of a system that believed the extension."""
    assert doctor.upload((film(), "notes.txt")).status_code == 201
    answer = doctor.upload((b"MZ" + b"\0" * 5000, "film.png"))
    assert answer.status_code in (415, 422) and answer.mimetype == "application/problem+json"
    assert doctor.get("/v1/studies").json["items"][0]["filename"] == "notes.txt"  # type: ignore[index]


def test_each_of_several_files_is_judged_on_its_own(doctor: Caller) -> None:
    answer = doctor.upload((film(1), "a.png"), (b"", "b.png"), (b"x" * 2**20 + b"yy", "c.png"), (film(2), "d.png"))
    assert answer.status_code == 201 and answer.json
    assert [study["filename"] for study in answer.json["studies"]] == ["a.png", "d.png"]
    assert len(answer.json["jobs"]) == 2
    assert [(bad["filename"], bad["code"]) for bad in answer.json["rejected"]] == [
        ("b.png", "empty_file"),
        ("c.png", "file_too_large"),
    ]


@pytest.mark.parametrize("data, status, code", [(b"", 400, "empty_file"), (b"x" * (2**20 + 1), 413, "file_too_large")])
def test_a_single_bad_file_is_an_error_of_its_own(doctor: Caller, data: bytes, status: int, code: str) -> None:
    answer = doctor.upload((data, "film.png"))
    assert (answer.status_code, answer.json and answer.json["code"]) == (status, code)
    assert "film.png" not in answer.text


def test_an_upload_without_a_file_is_told_so(doctor: Caller) -> None:
    answer = doctor.post("/v1/studies", data={"model": "pneumonia"})
    assert answer.status_code == 400 and answer.json and answer.json["code"] == "missing_file"


def test_after_any_upload_no_temporary_file_is_left(doctor: Caller, parts: Parts) -> None:
    doctor.upload((film(), "a.png"), (b"bad", "b.png"))
    doctor.upload((b"bad", "b.png"))
    assert list(parts.store.temporary_folder.iterdir()) == []


def test_a_model_can_be_chosen_and_an_unknown_one_stores_nothing(doctor: Caller) -> None:
    chosen = doctor.upload((film(), "a.png"), form={"model": "pneumonia"})
    assert [job["model"] for job in chosen.json["jobs"]] == ["pneumonia"]  # type: ignore[index]
    unknown = doctor.upload((film(), "b.png"), form={"model": "astrology"})
    assert (unknown.status_code, unknown.json and unknown.json["code"]) == (422, "unknown_model")
    assert len(doctor.get("/v1/studies").json["items"]) == 1  # type: ignore[index]


def test_the_same_request_with_the_same_key_makes_one_study(doctor: Caller) -> None:
    key = {"Idempotency-Key": "a-key"}
    first, again = (doctor.upload((film(), "film.png"), headers=key) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.json["studies"] == again.json["studies"]  # type: ignore[index]
    assert [job["id"] for job in first.json["jobs"]] == [job["id"] for job in again.json["jobs"]]  # type: ignore[index]
    assert len(doctor.get("/v1/studies").json["items"]) == 1  # type: ignore[index]


def test_a_key_stands_for_one_request_of_one_person(doctor: Caller, other: Caller) -> None:
    key = {"Idempotency-Key": "a-key"}
    doctor.upload((film(1), "film.png"), headers=key)
    reused = doctor.upload((film(2), "film.png"), headers=key)
    assert (reused.status_code, reused.json and reused.json["code"]) == (422, "idempotency_key_reused")
    assert other.upload((film(2), "film.png"), headers=key).status_code == 201


def test_a_request_that_comes_again_after_the_deletion_brings_nothing_back(doctor: Caller) -> None:
    """The same one by another way: a line that was cut sends again what it held, half a minute later."""
    key = {"Idempotency-Key": "a-key"}
    (study,) = doctor.upload((film(), "film.png"), headers=key).json["studies"]  # type: ignore[index]
    assert doctor.request("DELETE", f"/v1/studies/{study['id']}").status_code == 204
    late = doctor.upload((film(), "film.png"), headers=key)
    assert (late.status_code, late.json and late.json["code"]) == (409, "was_deleted")
    assert doctor.get("/v1/studies").json["items"] == []  # type: ignore[index]
    assert doctor.upload((film(), "film.png"), headers={"Idempotency-Key": "another"}).status_code == 201


def test_a_list_comes_in_parts_and_misses_nothing(doctor: Caller) -> None:
    ids = [doctor.upload((film(seed), f"{seed}.png")).json["studies"][0]["id"] for seed in range(5)]  # type: ignore[index]
    found, cursor = [], ""
    while True:
        page = doctor.get(f"/v1/studies?limit=2{cursor}").json or {}
        found += [study["id"] for study in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == ids[::-1]


def test_a_list_can_be_narrowed(doctor: Caller) -> None:
    doctor.upload((film(1), "chest_50%.png"), form={"patient_reference": "R-7"})
    doctor.upload((film(2), "other.png"))

    def names(query: str) -> list[str]:
        answer = doctor.get(f"/v1/studies?{query}")
        assert answer.status_code == 200 and answer.json, answer.text
        return [study["filename"] for study in answer.json["items"]]

    assert names("q=CHEST") == names("q=r-7") == names("q=50%25") == ["chest_50%.png"]
    assert names("q=_th") == [] and names("kind=volume") == [] and len(names("state=queued")) == 2
    assert names("from=2999-01-01T00:00:00Z") == [] and len(names("to=2999-01-01T00:00:00Z")) == 2
    for wrong in ("limit=0", "cursor=1", "kind=x", "state=x", "from=x", "unknown=1"):
        assert doctor.get(f"/v1/studies?{wrong}").status_code == 422, wrong


def test_the_image_comes_as_png_without_metadata(doctor: Caller) -> None:
    picture = Image.fromarray(np.arange(64 * 64, dtype=np.uint8).reshape(64, 64))
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "MRS SECRET"
    picture.save(buffer, "JPEG", exif=exif)
    study = doctor.upload((buffer.getvalue(), "film.jpg")).json["studies"][0]  # type: ignore[index]
    answer = doctor.get(f"/v1/studies/{study['id']}/image")
    assert answer.mimetype == "image/png" and b"SECRET" not in answer.data
    assert Image.open(io.BytesIO(answer.data)).size == (64, 64)
    small = doctor.get(f"/v1/studies/{study['id']}/image?max_side=32&window_center=100&window_width=50")
    assert Image.open(io.BytesIO(small.data)).size == (32, 32)
    again = doctor.get(f"/v1/studies/{study['id']}/image", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert doctor.get(f"/v1/studies/{study['id']}/image?window_center=1").status_code == 422
    assert doctor.get(f"/v1/studies/{study['id']}/volume").status_code == 404


def test_a_deleted_study_is_gone_and_only_the_record_stays(doctor: Caller, parts: Parts) -> None:
    answer = doctor.upload((film(), "film.png")).json or {}
    study, job = answer["studies"][0]["id"], answer["jobs"][0]["id"]
    assert doctor.request("DELETE", f"/v1/studies/{study}").status_code == 204
    for path in (f"/v1/studies/{study}", f"/v1/studies/{study}/image", f"/v1/jobs/{job}"):
        assert doctor.get(path).status_code == 404
    for key in ("original", "image"):
        with pytest.raises(NotFound):
            parts.store.read(f"studies/{study}/{key}")
    with reading(parts.engine) as connection:
        rows = list(connection.execute(select(audit.c.action).where(audit.c.object_id == study)).scalars())
    assert rows == ["upload", "delete"]


def test_a_thousand_waiting_films_are_welcome_and_a_flood_is_not(doctor: Caller, app: APIFlask) -> None:
    settings = app.extensions["lightbox"].settings
    assert settings.max_open_jobs >= 1000
    object.__setattr__(settings, "max_open_jobs", 1)
    assert doctor.upload((film(1), "a.png")).status_code == 201
    answer = doctor.upload((film(2), "b.png"))
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 0


def test_while_the_models_are_unknown_an_upload_can_be_sent_again_later(doctor: Caller, ml: FakeMl) -> None:
    ml.stop()
    answer = doctor.upload((film(), "film.png"))
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
    ml.start()


def test_equal_requests_at_the_same_time_make_one_study(app: APIFlask, doctor: Caller) -> None:
    answers: list[TestResponse] = []

    def send() -> None:
        caller = Caller(app.test_client(), doctor.headers)
        answers.append(caller.upload((film(), "film.png"), headers={"Idempotency-Key": "two clicks"}))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["studies"][0]["id"] for answer in answers}) == 1  # type: ignore[index]
    assert len(doctor.get("/v1/jobs").json["items"]) == 1  # type: ignore[index]


def test_an_upload_that_cannot_be_committed_leaves_no_file(
    doctor: Caller, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OperationalError("INSERT", {"name": "Mustermann"}, Exception("disk I/O error"))

    monkeypatch.setattr("app_service.uploads.keep.add_study", broken)
    answer = doctor.upload((film(), "film.png"))
    assert answer.status_code == 503 and "Mustermann" not in answer.text
    root = parts.store.temporary_folder.parent
    assert [path for path in root.rglob("*") if path.is_file()] == []


def test_a_file_that_is_answered_for_is_in_the_store_and_in_the_database(doctor: Caller, parts: Parts) -> None:
    study = doctor.upload((film(), "film.png")).json["studies"][0]  # type: ignore[index]
    assert parts.store.read(f"studies/{study['id']}/original") == film()
    with reading(parts.engine) as connection:
        assert connection.execute(select(studies.c.sha256).where(studies.c.id == study["id"])).scalar_one()
