"""Requests with a name."""

from concurrent.futures import Future

import pytest

from ml_service.batcher import Pass
from ml_service.running import Running
from portal_wire.errors import Conflict, NotFound


def test_a_named_request_is_seen_and_called_off_and_forgotten() -> None:
    running = Running()
    with running.named("seven") as passes:
        waiting: Future[Pass] = Future()
        passes.append(waiting)
        assert running.progress("seven") == 0
        running.cancel("seven")
        assert waiting.cancelled()
        assert running.progress("seven") == 1
        with pytest.raises(Conflict), running.named("seven"):
            pass
        assert running.progress("seven") == 1
    with pytest.raises(NotFound):
        running.progress("seven")


def test_nameless_requests_do_not_meet() -> None:
    running = Running()
    with running.named(None), running.named(None):
        pass
