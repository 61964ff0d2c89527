"""The App tier under whatever its own OpenAPI document lets a caller think of."""

import time
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from app_service.accounts import passwords
from tests.app_service.conftest import Caller, sign_in
from tests.app_service.fake_ml import FakeMl
from tests.bad_input.tier import Tier, started
from tests.conftest import RedisServer
from tests.fuzz.contracts import operations, schemathesis, send

STREAM = {"GET /v1/events"}  # never ends: tests/bad_input/test_requests.py::test_events_after_nonsense
EXAMPLES = 6


@pytest.fixture(scope="module")
def other_tier(_redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tier]:
    """A tier whose accounts and sessions may come to harm."""
    ml = FakeMl()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", PasswordHasher.from_parameters(CHEAPEST))
        with started(tmp_path_factory.mktemp("contract"), _redis_server.url.replace("/0", "/1"), ml.url) as running:
            yield running
    ml.stop()


def signed_in(tier: Tier, role: str) -> Caller:
    """Anew for each operation, since some end sessions; what counts sign-ins is emptied."""
    for key in tier.redis.scan_iter("lightbox:sign_in:*"):
        tier.redis.delete(key)
    return sign_in(tier.app, role)


def there(tier: Tier) -> dict[str, str]:
    """Path parameters that lead to something, made for the operation at hand: it may be deleting."""
    job = signed_in(tier, "doctor").upload_one(seed=time.monotonic_ns() % 2**32)
    return {"study_id": job["study_id"], "job_id": job["id"], "name": "pneumonia", "version": "1", "plot": "roc.png"}


def test_no_request_is_the_servers_fault(other_tier: Tier) -> None:
    service = {"X-Service-Token": other_tier.doctor.headers["X-Service-Token"]}
    schema = schemathesis.openapi.from_wsgi("/v1/openapi.json", other_tier.app, headers=service)
    good, wrong = 0, []
    for label, operation in operations(schema, STREAM).items():
        for role in ("doctor", "admin"):
            try:
                answered = send(operation, signed_in(other_tier, role).headers, there(other_tier), EXAMPLES)
            except Exception as error:
                wrong.append(f"{label} as {role}: {error}")
                break
            good += answered
            if answered:
                break  # it is not the other's
    assert wrong == []
    assert good > 50
