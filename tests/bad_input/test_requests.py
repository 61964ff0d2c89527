"""Requests that are bad themselves, whatever file they carry: B02, B03, B58, B77, B82, B83, B87, B88, B90 to B96."""

import io
import time
from typing import Any
from urllib.parse import quote

import pytest

from tests.app_service.conftest import PASSWORD, film, sign_in
from tests.bad_input import dicoms
from tests.bad_input.tier import Tier

NOBODYS = "01a1fd68-0152-729f-ac1c-e63c85352021"
NAMES = [
    "../../a.png",
    "a\0.png",
    "x" * 5000 + ".png",
    "con.png",
    "\U0001f9b4.png",
    "; rm -rf ~.png",
    "a\r\nSet-Cookie: b=c",
]
DEEP, LONG_NUMBER = b"[" * 10_000 + b"]" * 10_000, b"9" * 100_000
BAD_JSON = {
    "deep": DEEP,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "cut": b'{"username": "doc',
    "no number": b'{"username": NaN, "password": NaN}',
    "1e400": b'{"username": 1e400, "password": 1e400}',
    "long number": b'{"username": ' + LONG_NUMBER + b"}",
    "twice": b'{"username": "a", "username": ["b"], "password": 1}',
    "lone surrogate": b'{"username": "\\ud800", "password": []}',
    "UTF-16": '{"username": 1}'.encode("utf-16"),
    "bytes": bytes(range(256)),
}


def code(answer: Any) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json", answer.text
    return answer.status_code, answer.json["code"]


def test_without_a_file(tier: Tier) -> None:
    before = tier.stored()
    answer = tier.doctor.post(
        "/v1/studies", data={"patient_reference": "Canary", "other": (io.BytesIO(film()), "a.png")}
    )
    assert code(answer) == (400, "missing_file")
    assert 'part "file"' in answer.json["detail"]
    assert tier.stored() == before


def test_json_is_no_upload(tier: Tier) -> None:
    answer = tier.doctor.post("/v1/studies", json={"source_url": "http://169.254.169.254/latest/meta-data"})
    assert code(answer) == (415, "unsupported_media")
    assert "multipart/form-data" in answer.json["detail"]


@pytest.mark.parametrize("address", ["http://169.254.169.254/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_PING"])
def test_an_address_instead_of_a_file_is_never_asked(tier: Tier, address: str) -> None:
    """B87: no field of the form is an address; such a part is no file, and as a file it is a text of no kind."""
    assert code(tier.doctor.post("/v1/studies", data={"file": address, "source_url": address})) == (400, "missing_file")
    answer, _ = tier.upload(address.encode(), "a.png")
    assert code(answer) == (422, "type_mismatch")


def test_an_object_name_that_comes_again_changes_no_study(tier: Tier) -> None:
    first, _ = tier.upload(dicoms.twin(1), "a.dcm")
    (study,) = first.json["studies"]
    seen = tier.doctor.get(f"/v1/studies/{study['id']}/image").data
    second, _ = tier.upload(dicoms.twin(2), "a.dcm")
    assert second.status_code == 201
    assert tier.doctor.get(f"/v1/studies/{study['id']}/image").data == seen
    tier.delete([study, *second.json["studies"]])


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_is_for_people_and_decides_nothing(tier: Tier, name: str) -> None:
    """B77: it comes back as text, in the form of RFC 6266, and names no file of ours."""
    coded = quote(name)
    head = f"Content-Disposition: form-data; name=\"file\"; filename*=UTF-8''{coded}\r\n\r\n".encode()
    body = b"--edge\r\n" + head + film() + b"\r\n--edge--\r\n"
    answer = tier.doctor.post("/v1/studies", data=body, content_type="multipart/form-data; boundary=edge")
    assert answer.status_code == 201, answer.text
    (study,) = answer.json["studies"]  # type: ignore[index]
    assert len(study["filename"]) <= 255 and study["filename"].isprintable() and "/" not in study["filename"]
    saved = tier.doctor.get(f"/v1/studies/{study['id']}/original")
    assert saved.data == film()
    assert saved.headers["Content-Disposition"].startswith("attachment; filename")
    assert not any(character in str(saved.headers["Content-Disposition"]) for character in "\r\n\0")
    assert "Set-Cookie" not in saved.headers
    kept = {path.name for path in (tier.folder / "objects" / "studies" / study["id"]).iterdir()}
    assert kept <= {"original", "image", "preview", "reading"}
    tier.delete([study])


def test_a_packed_body_is_not_unpacked(tier: Tier) -> None:
    headers = {"Content-Encoding": "gzip"}
    answer = tier.doctor.post(
        "/v1/studies", data=b"\x1f\x8b", content_type="multipart/form-data; boundary=a", headers=headers
    )
    assert code(answer) == (415, "encoding_not_allowed")
    assert "Content-Encoding" in answer.json["detail"]


PART = b'--a\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
FORMS = {
    "100,000 parts": (
        b'--a\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n' * 100_000 + b"--a--\r\n",
        "a",
        413,
    ),
    "a field of 10 MB": (b'--a\r\nContent-Disposition: form-data; name="x"\r\n\r\n' + b"1" * 10**7, "a", 413),
    "no end": (PART + film(), "a", 400),
    "a boundary of 8 KB": (PART.replace(b"--a", b"--" + b"a" * 8192), "a" * 8192, 400),
    "no boundary": (PART + film() + b"\r\n--a--\r\n", "", 400),
    "a header of 1 MB": (b"--a\r\nX: " + b"y" * 2**20 + b"\r\n\r\n", "a", 400),
    "no name": (b"--a\r\nContent-Disposition: form-data\r\n\r\n1\r\n--a--\r\n", "a", 400),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_that_is_none(tier: Tier, form: str) -> None:
    """B83: refused, quickly, and no half of a file is taken for a whole one."""
    body, boundary, status = FORMS[form]
    before, cpu_s = tier.stored(), time.process_time()
    answer = tier.doctor.post("/v1/studies", data=body, content_type=f"multipart/form-data; boundary={boundary}")
    assert time.process_time() - cpu_s < 2
    assert answer.status_code in (status, 400, 413), answer.text
    code(answer)
    assert tier.stored() == before
    tier.good_upload()


TUS = {"Tus-Resumable": "1.0.0", "Upload-Offset": "7", "Content-Type": "application/offset+octet-stream"}
IN_PARTS = [
    ("POST", "/v1/studies", {"Upload-Length": "100"}, (415, "unsupported_media")),
    ("PATCH", "/v1/studies", {}, (405, "method_not_allowed")),
    ("PATCH", f"/v1/studies/{NOBODYS}", {}, (405, "method_not_allowed")),
    ("PATCH", f"/v1/uploads/{NOBODYS}", {"Upload-Checksum": "sha1 AAAA"}, (405, "method_not_allowed")),
    ("HEAD", f"/v1/uploads/{NOBODYS}", {}, (405, "")),
    ("PATCH", f"/v1/files/{NOBODYS}", {}, (404, "not_found")),
    ("DELETE", f"/v1/uploads/{NOBODYS}", {}, (404, "not_found")),
]


@pytest.mark.parametrize(
    ("method", "path", "more", "told"), IN_PARTS, ids=[f"{each[0]} {each[1]}" for each in IN_PARTS]
)
def test_an_upload_in_parts_is_refused(
    tier: Tier, method: str, path: str, more: dict[str, str], told: tuple[int, str]
) -> None:
    """B94: nothing is known here of tus (https://tus.io/protocols/resumable-upload), and nothing is kept."""
    before = tier.stored()
    answer = tier.doctor.request(method, path, data=film(), headers=TUS | more)
    assert answer.status_code == told[0]
    assert method == "HEAD" or code(answer) == told
    assert "Upload-Offset" not in answer.headers
    assert tier.stored() == before


@pytest.mark.parametrize("path", ["..", "%2e%2e", "0" * 36, "1' OR '1'='1", "*", "[$ne]=1", NOBODYS[:-1], "%00"])
def test_a_study_that_cannot_be_is_one_that_is_not_there(tier: Tier, path: str) -> None:
    """B88: the same status and form for nonsense as for another doctor's study."""
    mine, _ = tier.upload(film(3), "a.png")
    (study,) = mine.json["studies"]
    other = sign_in(tier.app, "other")
    foreign, nonsense = (other.get(f"/v1/studies/{each}/image") for each in (study["id"], quote(path, safe="%")))
    assert (foreign.status_code, nonsense.status_code) == (404, 404)
    assert foreign.json.keys() == nonsense.json.keys()  # type: ignore[union-attr]
    assert foreign.json["code"] == nonsense.json["code"]  # type: ignore[index]
    tier.delete([study])


def test_looking_changes_nothing(tier: Tier) -> None:
    """B90: whatever changes something is not to be had by GET."""
    tried = 0
    adapter = tier.app.url_map.bind("localhost")
    reading = {rule.rule for rule in tier.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    for rule in tier.app.url_map.iter_rules():
        if rule.rule in reading:
            continue
        path = adapter.build(
            rule.endpoint, dict.fromkeys(rule.arguments, NOBODYS), method=next(iter(rule.methods or ()))
        )
        assert tier.doctor.get(path).status_code == 405, rule.rule
        tried += 1
    assert tried >= 5


@pytest.mark.parametrize("change", ["tampered", "signed out", "made up"])
def test_a_token_that_is_none(tier: Tier, change: str) -> None:
    """B91. A token is no cookie, and is never chosen by who signs in."""
    caller = sign_in(tier.app, "other")
    token = caller.headers["Authorization"]
    if change == "tampered":
        token = token[:-1] + ("A" if token[-1] != "A" else "B")
    elif change == "signed out":
        assert caller.request("DELETE", "/v1/sessions/current").status_code == 204
    else:
        token = "Bearer " + "A" * 43
    answer = caller.get("/v1/studies", headers={"Authorization": token})
    assert code(answer) == (401, "no_session")
    assert token.split()[1] not in answer.text


def test_a_token_in_a_cookie_opens_nothing_and_each_sign_in_makes_a_new_one(tier: Tier) -> None:
    first, second = sign_in(tier.app, "other"), sign_in(tier.app, "other")
    token = first.headers.pop("Authorization")
    assert token != second.headers["Authorization"]
    assert first.get("/v1/me", headers={"Cookie": f"token={token}; session={token}"}).status_code == 401


def test_a_password_of_a_megabyte_is_not_hashed(tier: Tier) -> None:
    caller = sign_in(tier.app, "other")
    began = time.process_time()
    answer = caller.post("/v1/sessions", json={"username": "nobody", "password": "x" * 2**20})
    assert code(answer) == (422, "invalid_input") or answer.status_code == 400
    assert time.process_time() - began < 1
    assert PASSWORD not in answer.text and "xxx" not in answer.text


def test_an_idempotency_key_of_300_characters(tier: Tier) -> None:
    answer = tier.doctor.upload((film(4), "a.png"), headers={"Idempotency-Key": "k" * 300})
    assert code(answer) == (400, "bad_request")
    assert "at most 255" in answer.json["detail"]  # type: ignore[index]


@pytest.mark.parametrize(
    "last", ["garbage", "1000000000000000000-0", "99999999999999999999-0", "-1", "0-0", "*", "$", "\t"]
)
def test_events_after_nonsense(tier: Tier, last: str) -> None:
    """B95: a stream of one's own events, whatever the header says."""
    answer = tier.doctor.get("/v1/events", headers={"Last-Event-ID": last})
    assert answer.status_code == 200
    assert next(iter(answer.response)) in (b"retry: 2000\n\n", "retry: 2000\n\n")
    answer.close()


@pytest.mark.parametrize("kind", BAD_JSON)
@pytest.mark.parametrize("path", ["/v1/sessions", "/v1/jobs", "/v1/archive"])
def test_json_that_is_none(tier: Tier, path: str, kind: str) -> None:
    """B96."""
    answer = tier.doctor.post(path, data=BAD_JSON[kind], content_type="application/json")
    assert answer.status_code in (400, 422), answer.text
    code(answer)
