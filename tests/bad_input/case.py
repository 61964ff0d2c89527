"""What a row of the table is made of: files to upload and what must come back, or where else the row is shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# A film as a careless export names it, a reference as a careless clerk types it: neither may be seen again.
CANARY_NAME, CANARY_REFERENCE = "Doe_John_19700101", "Canary-Reference-4711"
SHORT_S = 1.0  # what is refused by its first bytes
PARSED_S = 3.0  # DICOM whose whole head is read first: under a second on a machine that does nothing else


@dataclass(frozen=True)
class Upload:
    """A file to send and what must come back.

    Of a refusal: `status`, one of `codes`, and `says`, a word of its text. Of a file that is taken: `status` 201,
    `codes` are its warnings, and `look` checks what is kept.
    """

    what: str
    build: Callable[[], bytes]
    status: int
    codes: tuple[str, ...]
    says: str = ""
    ending: str = ".png"
    within_s: float = 35.0
    look: Callable[[Any], None] | None = None


@dataclass(frozen=True)
class Row:
    """`elsewhere` names tests as "file::test"; `not_built` says what the portal lacks and why."""

    what: str
    uploads: tuple[Upload, ...] = ()
    elsewhere: tuple[str, ...] = ()
    not_built: str = ""


def refused(
    what: str,
    build: Callable[[], bytes],
    code: str,
    says: str,
    ending: str = ".png",
    within_s: float = 35.0,
    status: int = 422,
) -> Upload:
    """`code` may name several, with spaces: damaged bytes may be noticed here or there."""
    return Upload(what, build, status, tuple(code.split()), says, ending, within_s)


def taken(
    what: str,
    build: Callable[[], bytes],
    warnings: str = "",
    ending: str = ".png",
    within_s: float = 35.0,
    look: Callable[[Any], None] | None = None,
) -> Upload:
    return Upload(what, build, 201, tuple(warnings.split()), "", ending, within_s, look)
