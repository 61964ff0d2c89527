"""How long an answer takes says nothing: B88 (20 ms) and B92 (50 ms).

Both kinds of request alternate, so that whatever else the machine does meets both alike, and the smaller half of each
kind's times is compared: noise only ever adds. What remains has to be within the plan's bound at one of three tries.
"""

import statistics
import time
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher

from app_service.accounts import passwords
from tests.app_service.conftest import film, sign_in
from tests.bad_input.test_requests import NOBODYS
from tests.bad_input.tier import Tier

TRIES = 3


def apart_ms(one: Callable[[], None], other: Callable[[], None], rounds: int) -> float:
    """By how much the middle of the faster half of their times differs."""
    took: tuple[list[float], list[float]] = ([], [])
    for number in range(2 * rounds):
        began = time.perf_counter()
        (one, other)[number % 2]()
        took[number % 2].append(time.perf_counter() - began)
    middle = [statistics.median(sorted(times)[: (rounds + 1) // 2]) for times in took]
    return 1000 * abs(middle[0] - middle[1])


def is_alike(one: Callable[[], None], other: Callable[[], None], rounds: int, bound_ms: float) -> bool:
    return any(apart_ms(one, other, rounds) <= bound_ms for _ in range(TRIES))


def test_anothers_study_takes_as_long_as_none(tier: Tier) -> None:
    mine, _ = tier.upload(film(5), "a.png")
    (study,) = mine.json["studies"]
    other = sign_in(tier.app, "other")

    def ask(study_id: str) -> None:
        assert other.get(f"/v1/studies/{study_id}/image").status_code == 404

    assert is_alike(lambda: ask(study["id"]), lambda: ask(NOBODYS), 20, 20)
    tier.delete([study])


def test_an_unknown_name_takes_as_long_as_a_wrong_password(tier: Tier, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the real cost of a hash, beside which a name that is not looked at would show."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher.from_parameters(passwords.COST))
    hashed = passwords.hash_password("the right one")

    def refuse(known: str | None) -> None:
        assert not passwords.matches(known, "a wrong one")

    cost_ms = apart_ms(lambda: refuse(hashed), lambda: None, 3)
    bound_ms = min(50, cost_ms / 2)  # on a fast machine 50 would be more than the whole
    assert is_alike(lambda: refuse(hashed), lambda: refuse(None), 4, bound_ms)
