"""Whom the worker blames when no answer comes."""

import pytest

from app_service import ml_client
from portal_wire.errors import Internal, Unavailable
from portal_wire.http_client import ServiceClient
from tests.app_service.fake_ml import FakeMl


@pytest.mark.parametrize(("hangs", "blamed"), [(False, Internal), (True, Unavailable)])
def test_a_tier_that_hangs_costs_the_study_no_attempt(
    ml: FakeMl, monkeypatch: pytest.MonkeyPatch, hangs: bool, blamed: type[Exception]
) -> None:
    """Internal ends an attempt, of which a job has three; Unavailable lets it wait."""
    monkeypatch.setattr(ml_client, "_LIVE_S", 0.5)
    ml.delay_s, ml.hangs = 3.0, hangs
    with pytest.raises(blamed):
        ml_client.infer(ServiceClient(ml.url, "a token", timeout_s=0.5), "pneumonia", "1", b"a film")


@pytest.mark.parametrize("why", ["in use", "called off"])
def test_what_befalls_a_request_for_its_name_costs_the_study_nothing(ml: FakeMl, why: str) -> None:
    """Neither is the study's doing: it waits, and comes again."""
    ml.steps, ml.step_s, ml.in_use = 3, 0.01, int(why == "in use")
    ml.called_off = ["a job-1"]
    with pytest.raises(Unavailable):
        ml_client.infer(ServiceClient(ml.url, "a token"), "pneumonia", "1", b"a film", request_id="a job-1")
