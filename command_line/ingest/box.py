"""What the flow needs of a place where images arrive."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Parcel:
    """What arrived as one: a file, or a folder of slices. `name` is its path below incoming/, with slashes; `files`
    lie on this disk; `stamp` changes when others come under the same name; `origin` is the box's own."""

    name: str
    files: tuple[Path, ...]
    stamp: str
    origin: Any = None


class Box(Protocol):
    """A place where images arrive. Each of its steps may be repeated after a crash."""

    def arrived(self, known: set[str], most: int) -> Iterable[Parcel]:
        """Yields at most `most` parcels that are whole and whose names are not in `known`."""
        ...

    def keep_result(self, parcel: Parcel, job_id: str, folder: Path) -> None:
        """Puts the files of a finished job into results/NAME/JOB/."""
        ...

    def processed(self, parcel: Parcel) -> None:
        """Moves the parcel out of incoming/ once all its results are kept."""
        ...

    def rejected(self, parcel: Parcel, reason: str) -> None:
        """Moves it to rejected/, with the reason as text beside it."""
        ...

    def still_at_it(self, parcel: Parcel) -> None:
        """Is told now and then while models work on the parcel."""
        ...
