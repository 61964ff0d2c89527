"""A request's body that ends with a study, sent from the study's file: a volume need not be in memory."""

import os
from collections.abc import Iterator
from typing import BinaryIO

_PIECE_BYTES = 2**20


class StudyBody:
    """What `requests` sends piece by piece, with the length that it says beforehand."""

    def __init__(self, start: bytes, study: BinaryIO) -> None:
        self._start, self._study = start, study
        self._length = len(start) + size_of(study)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        yield self._start
        self._study.seek(0)
        while piece := self._study.read(_PIECE_BYTES):
            yield piece


def size_of(file: BinaryIO) -> int:
    """In bytes, wherever the file stands."""
    return file.seek(0, os.SEEK_END)
