"""Two Linux calls (prctl(2)) that Python does not offer, so that no process outlives those who would stop it."""

import ctypes
import signal

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LIBC = ctypes.CDLL(None)


def end_with_parent(number: signal.Signals) -> None:
    """This process gets the signal when its parent ends, by whatever cause."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, number)


def adopt_orphans() -> None:
    """Descendants whose parent ends become children of this process, which must wait for them."""
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1)
