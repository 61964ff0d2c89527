"""The folder that keeps everything a portal remembers; one portal at a time."""

import fcntl
from pathlib import Path
from typing import TextIO

from launcher.errors import CannotStart

FOLDERS = ("log", "nginx", "objects", "redis", "run", "secrets", "tls")
_LONGEST = 80  # a Unix socket's path has 107 bytes (unix(7)), and the intake's lies in run/


def prepare(folder: Path) -> TextIO:
    """Makes the folders, closed to other users. Returns a lock to hold while the portal runs; raises CannotStart."""
    if len(str(folder)) > _LONGEST:
        raise CannotStart(f"LIGHTBOX_DATA_DIR: its full path may have at most {_LONGEST} characters.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in FOLDERS:
            (folder / name).mkdir(mode=0o700, exist_ok=True)
        lock = (folder / "run" / "portal.lock").open("w")
    except OSError as error:
        raise CannotStart(f"LIGHTBOX_DATA_DIR: the folder cannot be written ({error.strerror}): {folder}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(f"LIGHTBOX_DATA_DIR: another portal is running in this folder: {folder}") from None
    return lock
