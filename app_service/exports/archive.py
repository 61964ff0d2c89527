"""A zip archive that is sent while it is being made: at most one entry is in memory."""

import time
import zipfile
from collections.abc import Callable, Iterable, Iterator

PACKED_ALREADY = (".png", ".jpg", ".jpeg", ".gz", ".zip", ".pdf")


def zip_stream(entries: Iterable[tuple[str, Callable[[], bytes]]]) -> Iterator[bytes]:
    """The archive's bytes in order. Each entry is its name and a function that gives its content when its turn comes.

    An exception in such a function ends the stream without the archive's directory, so that no program takes what
    arrived for a whole archive.
    """
    line = _Line()
    # No `with`: its exit would write the directory after an error, too.
    archive = zipfile.ZipFile(line, "w")  # type: ignore[call-overload]
    for name, content in entries:
        entry = zipfile.ZipInfo(name, date_time=time.gmtime()[:6])
        entry.compress_type = zipfile.ZIP_STORED if name.endswith(PACKED_ALREADY) else zipfile.ZIP_DEFLATED
        archive.writestr(entry, content())
        yield line.taken()
    archive.close()
    yield line.taken()


class _Line:
    """What zipfile needs of a file that can only be appended to."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        """Nothing waits here."""

    def taken(self) -> bytes:
        """All that was written since the last call."""
        parts, self._parts = self._parts, []
        return b"".join(parts)
