"""Honcho, the supervisor, with a thread for each process instead of a fork, made to stop well while it still starts."""

import os
import signal
import traceback
from multiprocessing import dummy
from typing import Any

from honcho import manager, process

_ASK_AGAIN_S = 0.2
# Its forks and their queue need shared memory, which AWS Lambda has none of, and hold a copy of the launcher each. They
# only start a process and read its lines: the standard library's threads of the same interface do.
manager.multiprocessing = dummy


class _InThread(process.Process):  # type: ignore[misc]  # honcho has no types
    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        """Without its word about signals, which is for a fork: the launcher's own are for the loop."""
        try:
            super().run(events)
        except BaseException:  # it cannot be started: honcho would wait for its pid for ever, whoever says stop
            _give_up()


class Supervisor(manager.Manager):  # type: ignore[misc]
    """A honcho manager whose `terminate` may be called at any time.

    Honcho's own raises KeyError for a process that has not said its pid yet, and then never stops.
    """

    def __init__(self, printer: Any) -> None:
        super().__init__(printer)
        self._process_ctor = _InThread

    def loop(self) -> None:
        """Runs the processes until one ends or a signal says so; then ends all."""
        signal.signal(signal.SIGALRM, lambda *_: self.terminate())
        try:
            super().loop()
        except BaseException:
            _give_up()

    def terminate(self) -> None:
        """Ends every process; while one is still being started, a moment later."""
        if self._all_started():
            super().terminate()
        else:
            signal.setitimer(signal.ITIMER_REAL, _ASK_AGAIN_S)


def _give_up() -> None:
    """An ordinary exit would wait for the threads; the keepers end with this process."""
    traceback.print_exc()
    os._exit(1)
