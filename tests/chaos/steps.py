"""Every call that makes something durable, removes it, or tells Redis: counted, and broken at a wanted one.

The product knows nothing of this: the calls are exchanged from outside, in a child process that may die.
"""

import errno
import os
import traceback
from collections.abc import Callable
from contextlib import contextmanager
from enum import Enum
from typing import Any

import pytest
import redis
from redis.client import Pipeline
from sqlalchemy import Engine

_ON_FILES = ("fsync", "replace", "rename", "link", "mkdir", "unlink", "rmdir")
_PASSED, _FAILED, _DIED, _WRONG = 0, 1, 9, 3


class Ending(Enum):
    """How the wanted call ends."""

    REFUSED = "it is refused: nothing happened"
    UNHEARD = "it happens, and its caller is told that it failed"
    DEATH = "the process is killed just before it"


class Steps:
    """`seen` calls so far; the one with the number `at` (1 is the first) ends as `ending` says."""

    def __init__(self, at: int, ending: Ending) -> None:
        self.seen, self._at, self._ending = 0, at, ending

    def step(self, error: Callable[[], Exception], real: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Does what was asked for, or what is to happen in its place."""
        self.seen += 1
        if self.seen != self._at:
            return real(*given, **named)
        if self._ending is Ending.DEATH:
            os._exit(_DIED)
        if self._ending is Ending.UNHEARD:
            real(*given, **named)
        raise error()


def interrupted(operation: Callable[[], bool], engine: Engine, at: int, ending: Ending) -> bool | None:
    """Runs `operation` in a child of this process, with the `at`-th of its calls broken.

    True when it said that it had succeeded, False when not (or when it died); None when it has fewer calls than that.
    """
    child = os.fork()
    if child == 0:
        _in_child(operation, engine, Steps(at, ending), at)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (_PASSED, _FAILED, _DIED, _PASSED + 16, _FAILED + 16), "the child broke off: see its traceback"
    return None if status >= 16 else status == _PASSED


def _in_child(operation: Callable[[], bool], engine: Engine, steps: Steps, at: int) -> None:
    try:
        engine.dispose(close=False)  # the parent goes on with its connections
        with _counted(steps, engine):
            said = operation()
        os._exit((_PASSED if said else _FAILED) + (16 if steps.seen < at else 0))
    except BaseException:
        traceback.print_exc()
    os._exit(_WRONG)


@contextmanager
def _counted(steps: Steps, engine: Engine) -> Any:
    def broken_disk() -> Exception:
        return OSError(errno.EIO, os.strerror(errno.EIO))

    def broken_line() -> Exception:
        return redis.ConnectionError("The line is cut.")

    def broken_database() -> Exception:
        error: Exception = engine.dialect.loaded_dbapi.OperationalError("The line is cut.")
        return error

    with pytest.MonkeyPatch.context() as patch:

        def exchange(owner: Any, name: str, error: Callable[[], Exception]) -> None:
            real = getattr(owner, name)
            patch.setattr(owner, name, lambda *given, **named: steps.step(error, real, *given, **named))

        for name in _ON_FILES:
            exchange(os, name, broken_disk)
        exchange(engine.dialect, "do_commit", broken_database)
        exchange(redis.Redis, "execute_command", broken_line)
        exchange(Pipeline, "execute", broken_line)
        yield
