"""The file system's errors as the portal's."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from portal_wire.errors import StorageFull, Unavailable


@contextmanager
def portal_errors() -> Iterator[None]:
    """Raises StorageFull or Unavailable for an OSError inside the block; the path in it goes no further."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("There is no room left to store files. Nothing was saved.") from error
        raise Unavailable("The store for files cannot be used at the moment.", retry_after_s=5) from error
