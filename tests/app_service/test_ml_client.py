"""Whom the worker blames when no answer comes in time."""

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
