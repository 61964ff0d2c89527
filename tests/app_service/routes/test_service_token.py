"""Requests between tiers, sent again without the caller's token or with another one: nobody is answered."""

import pytest
from apiflask import APIFlask

from app_service.parts import Parts
from app_service.worker import _probes
from portal_wire.http_server import OPEN_PATHS
from tests.app_service.conftest import SERVICE_TOKEN, Caller, film, sign_in
from tests.app_service.routes.access_table import ACCESS
from tests.app_service.routes.test_access import NOBODYS, address, body_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ML = "for-ml"  # what App itself shows to the ML tier
WRONG = ("", "x", ML, SERVICE_TOKEN[:-1], SERVICE_TOKEN + "x", SERVICE_TOKEN.upper(), f"Bearer {SERVICE_TOKEN}", "é")
IDS = dict.fromkeys(("study_id", "job_id", "share_id", "token_id", "session_id", "user_id", "upload_id"), NOBODYS)
PARTS = IDS | {"name": "pneumonia", "version": "1", "plot": "roc.png", "filename": "x"}


def test_every_route_turns_every_wrong_token_away_though_its_person_is_signed_in(app: APIFlask) -> None:
    """The session is an administrator's, and stays as it was: what was refused did nothing."""
    person = sign_in(app, "admin")
    bearer, tried = person.headers["Authorization"], 0
    for label, row in ACCESS.items():
        method, rule = label.split(" ", 1)
        if rule in OPEN_PATHS:
            continue
        for token in WRONG:
            shown = {"X-Service-Token": token, "Authorization": bearer}
            caller = Caller(app.test_client(), shown if token else {"Authorization": bearer})
            answer = caller.request(method, address(rule, PARTS), json=body_of(row, PARTS))
            tried += 1
            assert answer.status_code == 401, (label, token)
            assert answer.json and answer.json["code"] == "service_token", (label, token)
    assert tried > 500
    assert person.get("/v1/me").status_code == 200


def test_an_upload_sent_again_with_the_ml_tiers_token_leaves_nothing(app: APIFlask, doctor: Caller) -> None:
    assert doctor.upload((film(1), "film.png")).status_code == 201
    before = (doctor.get("/v1/studies").json or {})["items"]
    for token in (ML, ""):
        again = Caller(doctor.client, doctor.headers | {"X-Service-Token": token})
        assert again.upload((film(2), "film.png")).status_code == 401
    assert (doctor.get("/v1/studies").json or {})["items"] == before


def test_the_worker_answers_nothing_but_its_probes(parts: Parts) -> None:
    """It needs no token, for it has nothing else."""
    server = _probes(parts)
    try:
        routes = {rule.rule for rule in server.app.url_map.iter_rules()}  # type: ignore[attr-defined]
    finally:
        server.server_close()
    assert routes - {"/static/<path:filename>"} == set(OPEN_PATHS)
