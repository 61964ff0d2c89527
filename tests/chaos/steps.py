"""Every call that writes, makes something durable, removes it, or tells Redis: counted, and broken at a wanted one.

The product knows nothing of this: the calls are exchanged from outside, in a child process that may die.
"""

import builtins
import errno
import io
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

import pytest
import redis
from redis.client import Pipeline
from sqlalchemy import Engine

from portal_wire.errors import Unavailable

_ON_FILES = ("fsync", "replace", "rename", "link", "mkdir", "unlink", "rmdir")
_ON_OBJECTS = ("put_folder", "open", "size", "delete_prefix")
_PASSED, _FAILED, _DIED, _WRONG = 0, 1, 9, 3


class Ending(Enum):
    """How the wanted call ends."""

    REFUSED = "it is refused: nothing happened"
    UNHEARD = "it happens, and its caller is told that it failed"
    DEATH = "the process is killed just before it"
    SHORT = "of what is written to a file, half is taken"  # write(2); no other call is counted


class Steps:
    """`seen` calls so far; the one with the number `at` (1 is the first) ends as `ending` says."""

    def __init__(self, at: int, ending: Ending) -> None:
        self.seen, self._at, self._ending = 0, at, ending

    def write(self, real: Callable[[Any], int], data: Any) -> int:
        """To a file without a buffer. A full disk refuses, and a process that dies there leaves half."""
        if self._ending is Ending.SHORT:
            self.seen += 1
            return real(data[: max(1, len(data) // 2)] if self.seen == self._at else data)
        if self._ending is Ending.DEATH and self.seen + 1 == self._at:
            real(data[: len(data) // 2])
        written: int = self.step(_full, real, data)
        return written

    def step(self, error: Callable[[], Exception], real: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Does what was asked for, or what is to happen in its place."""
        if self._ending is Ending.SHORT:
            return real(*given, **named)
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
        with counted(steps, engine):
            said = operation()
        os._exit((_PASSED if said else _FAILED) + (16 if steps.seen < at else 0))
    except BaseException:
        traceback.print_exc()
    os._exit(_WRONG)


def _full() -> Exception:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _opening(steps: Steps) -> Callable[..., Any]:
    """`open`, whose new files are written by way of `steps`."""

    class Written(io.FileIO):
        def write(self, data: Any) -> int:
            return steps.write(super().write, memoryview(data))

    real = io.open

    def opening(file: Any, mode: str = "r", buffering: int = -1, *given: Any, **named: Any) -> Any:
        if mode != "wb" or buffering != -1:
            return real(file, mode, buffering, *given, **named)
        return io.BufferedWriter(Written(file, "w"))

    return opening


@contextmanager
def counted(steps: Steps, engine: Engine, store: type | None = None) -> Iterator[None]:
    """Meanwhile calls go by way of `steps`. `store` is a class whose calls are counted in place of those on files."""

    def broken_disk() -> Exception:
        return OSError(errno.EIO, os.strerror(errno.EIO))

    def broken_line() -> Exception:
        return redis.ConnectionError("The line is cut.")

    def broken_database() -> Exception:
        error: Exception = engine.dialect.loaded_dbapi.OperationalError("The line is cut.")
        return error

    def store_away() -> Exception:
        return Unavailable("The store for files cannot be used at the moment.")

    opening = _opening(steps)
    with pytest.MonkeyPatch.context() as patch:

        def exchange(owner: Any, name: str, error: Callable[[], Exception]) -> None:
            real = getattr(owner, name)
            patch.setattr(owner, name, lambda *given, **named: steps.step(error, real, *given, **named))

        for name in _ON_OBJECTS if store else ():
            exchange(store, name, store_away)
        for name in () if store else _ON_FILES:
            exchange(os, name, broken_disk)
        for module in () if store else (io, builtins):
            patch.setattr(module, "open", opening)
        exchange(engine.dialect, "do_commit", broken_database)
        exchange(redis.Redis, "execute_command", broken_line)
        exchange(Pipeline, "execute", broken_line)
        yield
