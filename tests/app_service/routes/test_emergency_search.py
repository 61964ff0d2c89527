"""Another's study in an emergency, by what is known of it elsewhere: a reason first, and nothing for guesses."""

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select

from app_service.accounts.throttle import SEARCHES_ALLOWED
from app_service.parts import Parts
from app_service.routes.emergency import MOST_OF_A_PATIENT
from app_service.storage.database import reading
from app_service.storage.records import audit, guests
from tests.app_service.conftest import Caller, film
from tests.app_service.routes.test_sharing import METRIC, WHY
from tests.app_service.routes.test_tokens import make

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def upload(doctor: Caller, number: int, reference: str) -> str:
    answer = doctor.upload((film(number), "film.png"), form={"patient_reference": reference} if reference else {})
    return str((answer.json or {})["studies"][0]["id"])


def seek(caller: Caller, study: str, reason: str = WHY) -> tuple[int, str, list[str]]:
    """Status, code and ids of one search."""
    answer = caller.post("/v1/emergency", json={"study": study, "reason": reason})
    told = answer.json or {}
    return answer.status_code, told.get("code", ""), [one["study_id"] for one in told.get("items", [])]


def seen(caller: Caller, study: str) -> int:
    return caller.get(f"/v1/studies/{study}").status_code


def outcomes(parts: Parts) -> list[tuple[str | None, str]]:
    with reading(parts.engine) as connection:
        rows = connection.execute(select(audit).where(audit.c.action == "open_in_emergency").order_by(audit.c.seq))
        return [(row.object_id, row.outcome) for row in rows]


def test_a_patients_reference_opens_all_of_the_patient_and_nobody_elses(
    doctor: Caller, other: Caller, parts: Parts
) -> None:
    first, second = upload(doctor, 1, "ACC-7"), upload(doctor, 2, "acc-7")
    stranger = upload(doctor, 3, "ACC-77")
    before = REGISTRY.get_sample_value(METRIC) or 0.0
    assert seek(other, " Acc-7 ") == (201, "", [second, first])
    assert [seen(other, one) for one in (first, second, stranger)] == [200, 200, 404]
    assert outcomes(parts) == [(second, "done"), (first, "done")]
    assert REGISTRY.get_sample_value(METRIC) == before + 2
    for study in (first, second):
        (told,) = (doctor.get(f"/v1/studies/{study}/openings").json or {})["emergencies"]
        assert (told["username"], told["reason"]) == ("other", WHY)


def test_a_study_opens_by_its_id(doctor: Caller, other: Caller) -> None:
    study = upload(doctor, 1, "")
    assert seek(other, study.upper()) == (201, "", [study])
    assert seen(other, study) == 200


def test_without_a_reason_nothing_is_told(doctor: Caller, other: Caller, parts: Parts) -> None:
    upload(doctor, 1, "ACC-7")
    there = [seek(other, "ACC-7", reason) for reason in ("", "too short", " " * 40)]
    nowhere = [seek(other, "ACC-8", reason) for reason in ("", "too short", " " * 40)]
    assert there == nowhere and {status for status, *_ in there} == {422}
    assert outcomes(parts) == []


def test_no_part_of_a_reference_and_no_name_of_a_file_finds_anything(doctor: Caller, other: Caller) -> None:
    study = upload(doctor, 1, "ACC-7")
    for part in ("ACC", "ACC-", "%", "ACC%", "_CC-7", "*", "ACC-7 x", "film.png", "' OR 1=1 --"):
        assert seek(other, part) == (404, "no_such_study", []), part
    assert seen(other, study) == 404


def test_guesses_are_written_down_and_stopped(doctor: Caller, other: Caller, parts: Parts) -> None:
    study = upload(doctor, 1, "ACC-7")
    for number in range(SEARCHES_ALLOWED):
        assert seek(other, f"ACC-{100 + number}")[0] == 404
    assert seek(other, "ACC-7")[:2] == (429, "too_many_searches")
    assert outcomes(parts) == [(None, "unknown")] * SEARCHES_ALLOWED
    assert seen(other, study) == 404
    answer = other.post(f"/v1/studies/{study}/emergency", json={"reason": WHY})
    assert answer.status_code == 201  # an id is no guess


def test_what_finds_something_does_not_count_as_a_guess(doctor: Caller, other: Caller) -> None:
    upload(doctor, 1, "ACC-7")
    for _ in range(SEARCHES_ALLOWED + 2):
        assert seek(other, "ACC-7")[0] == 201


def test_ones_own_needs_no_emergency(doctor: Caller, other: Caller, parts: Parts) -> None:
    upload(doctor, 1, "ACC-7")
    assert seek(doctor, "ACC-7")[:2] == (409, "own_study")
    anothers = upload(other, 2, "ACC-7")
    assert seek(doctor, "ACC-7") == (201, "", [anothers])


def test_what_very_many_have_is_no_patients_reference(
    doctor: Caller, other: Caller, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_OF_A_PATIENT == 20
    monkeypatch.setattr("app_service.routes.emergency.MOST_OF_A_PATIENT", 1)
    upload(doctor, 1, "unknown"), upload(doctor, 2, "unknown")
    assert seek(other, "unknown")[:2] == (409, "too_many_studies")
    with reading(parts.engine) as connection:
        assert connection.execute(select(guests)).all() == []


def test_no_program_searches(doctor: Caller, other: Caller) -> None:
    upload(doctor, 1, "ACC-7")
    spy, _ = make(other, "studies:read", "studies:write")
    assert seek(spy, "ACC-7")[0] == 403
