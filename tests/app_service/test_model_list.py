"""The models are known once and then to hand at once, whatever the ML tier does."""

import threading
import time

import pytest

from app_service import model_list
from app_service.ml_client import Served
from app_service.model_list import ModelList
from app_service.parts import Parts
from portal_wire.contract import Model
from portal_wire.errors import Unavailable
from tests.app_service.conftest import wait_until
from tests.app_service.fake_ml import model_card


def a_model(*versions: str) -> Model:
    return Model.model_validate(model_card(dict.fromkeys(versions)))


def names(models: ModelList) -> list[str]:
    return [version.version for version in models.one("pneumonia").versions]


def test_an_ml_tier_that_hangs_holds_up_nobody(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, released = [a_model("1")], threading.Event()

    def ask() -> Served:
        if len(answers) > 1:
            assert released.wait(10)
        return Served(answers[-1:], {("pneumonia", "1")})

    models = ModelList(ask, parts.book)
    assert names(models) == ["1"]
    answers.append(a_model("1", "2"))
    monkeypatch.setattr(model_list, "_FRESH_S", 0.0)
    began = time.monotonic()
    assert [names(models) for _ in range(20)] == [["1"]] * 20
    assert time.monotonic() - began < 5
    released.set()
    wait_until(lambda: "2" in names(models))


def test_who_asks_first_waits_and_is_told_when_nothing_is_known(parts: Parts) -> None:
    def away() -> Served:
        raise Unavailable("away")

    with pytest.raises(Unavailable, match="not ready yet"):
        ModelList(away, parts.book).all()
