"""Which core runs what, where a server and its client should not take each other's time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil


@contextmanager
def apart(*servers: int) -> Iterator[None]:
    """Keeps every thread of these processes and of their children to the last core that this process may use, and
    this process to the first, until the block ends. Threads that they start meanwhile stay with them.

    Raises RuntimeError on one core.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise RuntimeError("Expected two cores at least. Received: one")
    _keep(os.getpid(), {cores[0]})
    for server in servers:
        _keep(server, {cores[-1]})
    try:
        yield
    finally:
        for each in (os.getpid(), *servers):
            _keep(each, set(cores))


def _keep(number: int, cores: set[int]) -> None:
    process = psutil.Process(number)
    family = [process] if number == os.getpid() else [process, *process.children(recursive=True)]
    for thread in [thread.id for each in family for thread in each.threads()]:
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.sched_setaffinity(thread, cores)
