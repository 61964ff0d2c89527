"""What the sandbox gives up. By ctypes, since Python 3.11 has neither unshare(2) nor prctl(2)."""

import ctypes
import os
import resource
import signal
from pathlib import Path

from app_service.intake.limits import Limits

CLONE_NEWNET, CLONE_NEWUSER = 0x40000000, 0x10000000
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
OPEN_FILES = 64
_libc = ctypes.CDLL(None, use_errno=True)
_python = ctypes.PyDLL(None)  # keeps the interpreter's lock over a call, so that the child has it too


def leave_network() -> str | None:
    """Moves this process and its later children to an empty network. None, or why the system refuses it.

    Call it before any thread starts: a new user namespace, which only root can do without, needs a single thread.
    """
    for namespaces in (CLONE_NEWNET, CLONE_NEWUSER | CLONE_NEWNET):
        if _libc.unshare(namespaces) == 0:
            return None
    return os.strerror(ctypes.get_errno())


def forbid_new_privileges() -> None:
    """From here on no set-uid program gives this process or a child more rights."""
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def address_space_bytes() -> int:
    """What this process has mapped now."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def fork() -> int:
    """fork(2) alone. Python's own goes on to renew locks and threads in the child, which costs it a third of its life.

    Only for a process with one thread, whose child leaves by `os._exit` and starts no thread.
    """
    return int(_python.fork())


def confine_child(limits: Limits, baseline_bytes: int) -> None:
    """For one throw-away child: it ends with its parent, and beyond any of the limits."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    for kind, most in (
        (resource.RLIMIT_AS, baseline_bytes + limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_FSIZE, limits.output_bytes),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_NPROC, 0),  # binds everyone but root
        (resource.RLIMIT_CORE, 0),  # a core dump would hold the picture
    ):
        resource.setrlimit(kind, (most, most))
