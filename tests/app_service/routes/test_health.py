"""Health is asked for anew each time, and an outage is a 503 at once and never a hang."""

import logging
import time
from dataclasses import replace

import pytest

from app_service.settings import Settings
from app_service.web import create_app
from tests.app_service.conftest import PASSWORD, Caller, film
from tests.app_service.fake_ml import FakeMl
from tests.conftest import RedisServer, free_port

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_readiness_is_not_static(anyone: Caller, redis_server: RedisServer, ml: FakeMl) -> None:
    """The trap of a system whose health check always said OK."""
    well = anyone.get("/readyz")
    assert well.status_code == 200 and well.json
    assert set(well.json["dependencies"]) == {"database", "redis", "store", "ml"}
    redis_server.stop()
    ill = anyone.get("/readyz")
    redis_server.start()
    assert ill.status_code == 503 and ill.json and ill.json["dependencies"]["redis"]
    ml.stop()
    away = anyone.get("/readyz")
    ml.start()
    assert away.status_code == 503 and away.json and away.json["dependencies"]["ml"] == "unavailable"
    assert anyone.get("/readyz").status_code == 200
    assert anyone.get("/healthz").status_code == 200


def test_without_redis_every_call_is_told_to_come_again(doctor: Caller, redis_server: RedisServer) -> None:
    redis_server.stop()
    began = time.monotonic()
    try:
        signed = doctor.post("/v1/sessions", json={"username": "doctor", "password": PASSWORD})
        answers = [signed, doctor.get("/v1/jobs"), doctor.upload((film(), "film.png")), doctor.get("/v1/events")]
    finally:
        redis_server.start()
    assert time.monotonic() - began < 10
    for answer in answers:
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
        assert answer.mimetype == "application/problem+json"


def test_without_the_database_every_call_is_told_to_come_again(settings: Settings) -> None:
    away = replace(settings, database_url=f"postgresql://app@127.0.0.1:{free_port()}/x")
    anyone = Caller(create_app(away).test_client(), {"X-Service-Token": away.service_token})
    began = time.monotonic()
    signed = anyone.post("/v1/sessions", json={"username": "doctor", "password": PASSWORD})
    ready = anyone.get("/readyz")
    assert time.monotonic() - began < 10
    assert signed.status_code == 503 and int(signed.headers["Retry-After"]) > 0
    assert ready.status_code == 503 and ready.json and ready.json["dependencies"]["database"] == "OperationalError"


def test_query_strings_and_names_stay_out_of_the_log(doctor: Caller, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("lightbox")
    logger.addHandler(caplog.handler)
    try:
        doctor.get("/v1/studies?q=Mustermann")
        doctor.upload((film(), "Mustermann.png"), form={"patient_reference": "Mustermann"})
    finally:
        logger.removeHandler(caplog.handler)
    logged = [str(record.__dict__) for record in caplog.records]
    assert any("/v1/studies" in line for line in logged)
    assert not any("Mustermann" in line for line in logged)


def test_the_metrics_count_uploads_and_sign_ins(doctor: Caller) -> None:
    doctor.upload_one()
    text = doctor.get("/metrics").text
    for name in ("lightbox_app_studies_total", "lightbox_app_sign_ins_total", "lightbox_app_request_seconds_bucket"):
        assert name in text
