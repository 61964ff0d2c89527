"""Honcho, the supervisor, made to stop well while it still starts, and to leave nothing when it is killed."""

import os
import signal
import traceback
from types import FrameType

from honcho.manager import Manager

from launcher.process_death import end_with_parent

_ASK_AGAIN_S = 0.2


class Supervisor(Manager):  # type: ignore[misc]  # honcho has no types
    """A honcho manager whose `terminate` may be called at any time.

    Honcho's own raises KeyError for a process that has not said its pid yet, and then never stops.
    """

    def loop(self) -> None:
        """Runs the processes until one ends or a signal says so; then ends all."""
        signal.signal(signal.SIGALRM, lambda *_: self.terminate())
        os.register_at_fork(after_in_child=_in_each_fork)
        try:
            super().loop()
        except BaseException:
            traceback.print_exc()
            os._exit(1)  # an ordinary exit would wait for honcho's forks; the keepers end with this process

    def terminate(self) -> None:
        """Ends every process; while one is still being started, a moment later."""
        if self._all_started():
            super().terminate()
        else:
            signal.setitimer(signal.ITIMER_REAL, _ASK_AGAIN_S)


def _in_each_fork() -> None:
    """Honcho forks once a process and reads its lines there: no stopping on its own, but ending with the launcher."""
    end_with_parent(signal.SIGKILL)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _nothing)  # not SIG_IGN: the process that it starts would inherit that


def _nothing(number: int, frame: FrameType | None) -> None:
    pass
