"""A NUL in a text is the caller's fault on every database: PostgreSQL cannot keep one, and must not seem to be away."""

from tests.app_service.conftest import Caller, film

WHY = "Nobody else was there, and she could not breathe."


def test_a_nul_is_refused_wherever_a_text_is_taken(doctor: Caller, other: Caller) -> None:
    job = doctor.upload_one()
    study = f"/v1/studies/{job['study_id']}"
    said = [
        doctor.get("/v1/studies?q=a%00b"),
        doctor.get("/v1/jobs?study_id=a%00b"),
        other.post("/v1/emergency", json={"study": "ACC\0", "reason": WHY}),
        other.post(f"{study}/emergency", json={"reason": WHY + "\0"}),
        doctor.post(f"{study}/shares", json={"colleague": "oth\0er"}),
        doctor.post("/v1/sessions", json={"username": "doc\0tor", "password": "x" * 15}),
        doctor.post("/v1/me/tokens", json={"name": "a\0b", "scopes": ["studies:read"]}),
        doctor.post(f"{study}/jobs", json={"model": "pneu\0monia"}),
        doctor.request("PUT", f"/v1/jobs/{job['id']}/review", json={"verdict": "agree", "comment": "a\0b"}),
    ]
    assert [(answer.status_code, (answer.json or {})["code"]) for answer in said] == [(422, "invalid_input")] * 9


def test_a_nul_in_an_uploads_form_is_no_fault_of_the_server(doctor: Caller) -> None:
    for field in ("patient_reference", "model"):
        assert doctor.upload((film(3), "film.png"), form={field: "P\0-7"}).status_code == 422, field
    named = doctor.upload((film(3), "fi\0lm.png"))
    assert [one["filename"] for one in (named.json or {})["studies"]] == ["film.png"]
