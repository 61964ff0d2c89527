"""Medical libraries quote a file's values in what they print and warn of: nothing of that may reach a log."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

LOGGERS = ("pydicom", "nibabel.global")


@contextmanager
def quiet() -> Iterator[None]:
    """Neither Python code nor C code of this process is heard inside the block. For a process with one thread."""
    usual = [os.dup(number) for number in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)
    for name in LOGGERS:
        logging.getLogger(name).disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for number, kept in zip((1, 2), usual, strict=True):
            os.dup2(kept, number)
            os.close(kept)
        os.close(nowhere)
