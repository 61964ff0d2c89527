"""Few passwords are looked at together, because each takes 46 MiB; and none is taken that everybody tries first."""

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from app_service.accounts import passwords
from app_service.accounts.guessable import LIST
from portal_wire.errors import TooManyRequests, Unprocessable

PASSWORD = "correct horse battery"


def test_few_are_looked_at_together_and_each_has_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    real = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    hashed, lock, inside, most = real.hash(PASSWORD), threading.Lock(), 0, 0

    class Counting:
        def verify(self, known: str, said: str) -> bool:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.02)
            try:
                return real.verify(known, said)
            finally:
                with lock:
                    inside -= 1

    monkeypatch.setattr(passwords, "_HASHER", Counting())
    monkeypatch.setattr(passwords, "_PATIENCE_S", 60.0)
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda number: passwords.matches(hashed, PASSWORD if number % 2 else "wrong"), range(12)))
    assert found == [bool(number % 2) for number in range(12)]
    assert 1 <= most <= 4


def test_whose_turn_does_not_come_is_told_when_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_PLACES", threading.BoundedSemaphore(1))
    monkeypatch.setattr(passwords, "_PATIENCE_S", 0.05)
    with passwords._place(0), pytest.raises(TooManyRequests) as refused:
        passwords.matches(None, PASSWORD)
    assert (refused.value.code, refused.value.retry_after_s) == ("many_sign_ins", 2)
    assert passwords.matches(passwords.hash_password(PASSWORD), PASSWORD)


@pytest.mark.parametrize(
    "password",
    [
        "1q2w3e4r5t6y7u8i",
        "Password1234567",
        "Monkey-Dragon-2026",
        "qwertyuiop12345",
        "LightboxLightbox",
        "Radiology!2026!!",
    ],
)
def test_what_is_tried_first_is_refused_however_long(password: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        passwords.require_good(password, "grey", second_factor=False)
    assert refused.value.code == "password_too_common"


def test_beside_a_second_factor_short_common_ones_are_refused_too() -> None:
    with pytest.raises(Unprocessable):
        passwords.require_good("sunshine1", "grey", second_factor=True)
    passwords.require_good("sunny-9-hats", "grey", second_factor=True)


@pytest.mark.parametrize(
    "password", [PASSWORD, "seven pale herons stood", "7355608 lamps in rain", passwords.made_up()]
)
def test_words_that_have_nothing_to_do_with_each_other_are_taken(password: str) -> None:
    passwords.require_good(password, "grey", second_factor=False)


def test_the_list_is_the_one_that_its_note_names() -> None:
    note = (LIST.parent / "README.md").read_text()
    assert hashlib.sha256(LIST.read_bytes()).hexdigest() in note


def test_nobodys_password_costs_what_a_real_one_costs() -> None:
    nobodys, real = passwords._nobodys(), passwords.hash_password(PASSWORD)
    assert extract_parameters(nobodys) == extract_parameters(real)
    assert len(nobodys) == len(real)
    with pytest.raises(VerifyMismatchError):  # it was looked at, and not refused for its form
        passwords._HASHER.verify(nobodys, PASSWORD)
