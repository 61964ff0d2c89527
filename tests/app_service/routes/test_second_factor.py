"""Second factors: the standard's own codes, asked for at sign-in, each used once, and nothing of them readable."""

import base64
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from app_service.accounts import totp
from app_service.parts import Parts
from app_service.storage.database import reading
from app_service.storage.records import audit, recovery_codes, second_factors
from tests.app_service.conftest import PASSWORD, Caller

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PATH = "/v1/me/second-factor"


def code(secret: bytes, ago: int = 0) -> str:
    """The present code, or that of so many steps ago."""
    now = time.time()
    if now % totp.PERIOD_S > totp.PERIOD_S - 2:  # no test is to run over the edge of a step
        time.sleep(2.5)
    return totp._totp(secret).generate(time.time() - ago * totp.PERIOD_S).decode()


def begin(caller: Caller, password: str = PASSWORD) -> bytes:
    answer = caller.post(PATH, json={"password": password})
    assert answer.status_code == 201, answer.text
    told = parse_qs(urlsplit((answer.json or {})["address"]).query)["secret"][0]
    assert (answer.json or {})["secret"].replace(" ", "") == told
    return base64.b32decode(told)


def enrol(caller: Caller) -> tuple[bytes, list[str]]:
    """The secret, and the recovery codes. The code of the step before is used up."""
    secret = begin(caller)
    answer = caller.post(f"{PATH}/confirm", json={"otp": code(secret, 1)})
    assert answer.status_code == 200, answer.text
    return secret, list((answer.json or {})["recovery_codes"])


def sign_in(anyone: Caller, otp: str | None = None, password: str = PASSWORD) -> tuple[int, str]:
    body = {"username": "doctor", "password": password} | ({"otp": otp} if otp is not None else {})
    answer = anyone.post("/v1/sessions", json=body)
    return answer.status_code, str((answer.json or {}).get("code", ""))


def test_a_code_is_asked_for_once_the_first_has_come(doctor: Caller, anyone: Caller) -> None:
    secret = begin(doctor)
    assert sign_in(anyone) == (201, "")  # not confirmed yet
    assert doctor.post(f"{PATH}/confirm", json={"otp": "000000"}).status_code == 403
    assert doctor.post(f"{PATH}/confirm", json={"otp": code(secret, 1)}).status_code == 200
    assert sign_in(anyone) == (401, "otp_needed")
    assert sign_in(anyone, code(secret, 3)) == (401, "wrong_otp")
    assert sign_in(anyone, code(secret)) == (201, "")
    assert (doctor.get(PATH).json or {}) == {"state": "on", "recovery_codes_left": 10}


def test_a_code_is_used_once(doctor: Caller, anyone: Caller) -> None:
    secret, _ = enrol(doctor)
    said = code(secret)
    assert sign_in(anyone, said) == (201, "")
    assert sign_in(anyone, said) == (401, "wrong_otp")


def test_a_wrong_password_says_nothing_of_the_second_factor(doctor: Caller, anyone: Caller) -> None:
    secret, _ = enrol(doctor)
    assert sign_in(anyone, code(secret), "wrong") == (401, "wrong_credentials")


def test_a_recovery_code_stands_in_once(doctor: Caller, anyone: Caller, parts: Parts) -> None:
    _, codes = enrol(doctor)
    assert len(set(codes)) == 10
    assert sign_in(anyone, codes[3].upper().replace("-", " ")) == (201, "")
    assert sign_in(anyone, codes[3]) == (401, "wrong_otp")
    assert (doctor.get(PATH).json or {})["recovery_codes_left"] == 9
    with reading(parts.engine) as connection:
        acts = set(connection.execute(select(audit.c.action)).scalars())
    assert {"add_second_factor", "use_recovery_code"} <= acts


def test_codes_cannot_be_guessed(doctor: Caller, anyone: Caller) -> None:
    secret, _ = enrol(doctor)
    assert [sign_in(anyone, "000000")[0] for _ in range(6)] == [401] * 5 + [429]
    assert sign_in(anyone, code(secret))[0] == 429


def test_neither_secret_nor_recovery_codes_are_readable_in_the_database(doctor: Caller, parts: Parts) -> None:
    secret, codes = enrol(doctor)
    with reading(parts.engine) as connection:
        (stored,) = connection.execute(select(second_factors.c.secret)).scalars()
        hashes = " ".join(connection.execute(select(recovery_codes.c.hash)).scalars())
    assert base64.b32encode(secret).decode() not in stored and secret not in base64.urlsafe_b64decode(stored)
    assert not any(one in hashes for one in codes)
    assert totp.taken(stored, "a key of the tests") == secret
    with pytest.raises(totp.Unreadable):
        totp.taken(stored, "another key")


def test_the_qr_code_is_there_until_it_was_used(doctor: Caller) -> None:
    assert doctor.get(f"{PATH}/qr.svg").status_code == 404
    secret = begin(doctor)
    picture = doctor.get(f"{PATH}/qr.svg")
    assert picture.mimetype == "image/svg+xml" and b"<svg" in picture.data and b"style=" not in picture.data
    doctor.post(f"{PATH}/confirm", json={"otp": code(secret, 1)})
    assert doctor.get(f"{PATH}/qr.svg").status_code == 404
    assert doctor.post(PATH, json={"password": PASSWORD}).status_code == 409


def test_it_is_removed_with_password_and_code(doctor: Caller, anyone: Caller) -> None:
    secret, codes = enrol(doctor)
    for body in ({"password": "wrong", "otp": codes[0]}, {"password": PASSWORD, "otp": "000000"}):
        assert doctor.post(f"{PATH}/remove", json=body).status_code == 403
    body = {"password": PASSWORD, "otp": code(secret)}
    assert doctor.post(f"{PATH}/remove", json=body).status_code == 204
    assert sign_in(anyone) == (201, "")


def test_beside_a_second_factor_eight_characters_do_but_not_without(doctor: Caller, anyone: Caller) -> None:
    change = {"current": PASSWORD, "new": "dry coat"}
    assert doctor.request("PUT", "/v1/me/password", json=change).status_code == 422
    _, codes = enrol(doctor)
    opened = doctor.request("PUT", "/v1/me/password", json=change)
    assert opened.status_code == 200
    doctor.headers["Authorization"] = f"Bearer {(opened.json or {})['token']}"
    answer = doctor.post(f"{PATH}/remove", json={"password": "dry coat", "otp": codes[0]})
    assert answer.status_code == 422 and (answer.json or {})["code"] == "password_too_short"
    assert sign_in(anyone, codes[0], "dry coat") == (201, "")


def test_an_administrator_takes_a_lost_one_away(app: APIFlask, doctor: Caller, admin: Caller, anyone: Caller) -> None:
    enrol(doctor)
    (account,) = [one for one in (admin.get("/v1/users").json or {})["items"] if one["username"] == "doctor"]
    assert account["second_factor"]
    assert admin.request("DELETE", f"/v1/users/{account['id']}/second-factor").status_code == 204
    assert doctor.get("/v1/me").status_code == 401
    assert sign_in(anyone) == (201, "")  # and a new password is asked for


def test_a_secret_of_another_key_opens_nothing_and_says_so(
    doctor: Caller, anyone: Caller, app: APIFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, codes = enrol(doctor)
    monkeypatch.setattr("app_service.accounts.totp._cipher", lambda key, really=totp._cipher: really(key + "!"))
    assert sign_in(anyone, code(secret)) == (409, "second_factor_unreadable")
    assert sign_in(anyone, codes[0]) == (201, "")
