"""What this process has asked models and not heard yet, by the name that the ML tier knows each question by."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from app_service.storage.cache import Key

LONG_S = 1.0  # what takes less is over before anybody could read how far it is


def name_of(job: Row[Any]) -> str:
    """The id of an attempt's request."""
    return f"{job.id}-{job.attempt}"


@dataclass(eq=False)
class Question:
    """An attempt whose model is being asked. `job` is its row as it was claimed."""

    job: Row[Any]
    since: float = field(default_factory=time.monotonic)
    told: float = 0.0  # the share that was told last
    over: bool = False  # `lock` is held to change it, and to tell a share
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def key(self) -> Key:
        return self.job.id, self.job.attempt


class Questions:
    """Those of all threads of a worker."""

    def __init__(self) -> None:
        self._open: set[Question] = set()
        self._lock = threading.Lock()

    @contextmanager
    def asked(self, job: Row[Any]) -> Iterator[None]:
        """While the block runs. After it nothing is told of the attempt's progress any more."""
        question = Question(job)
        with self._lock:
            self._open.add(question)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(question)
            with question.lock:
                question.over = True

    def long(self) -> list[Question]:
        """Those that were asked more than a second ago."""
        before = time.monotonic() - LONG_S
        with self._lock:
            return [each for each in self._open if each.since < before]
