"""The EXIF orientation as Pillow reads it, from blocks of either byte order with other tags before and behind."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app_service.intake.orientation import ORIENTATION, orientation

Entry = tuple[int, int, int]  # tag, type, value
OTHERS = st.tuples(st.integers(0x0113, 0x0200), st.sampled_from((3, 4)), st.integers(0, 65535))
HEADS = {b"II*\0": "<", b"MM\0*": ">", b"II\0*": "<", b"MM*\0": ">"}


def block(entries: list[Entry], head: bytes = b"II*\0") -> bytes:
    """TIFF 6.0, section 2: the header and one directory."""
    order = HEADS[head]
    head += struct.pack(f"{order}IH", 8, len(entries))
    fields = [struct.pack(f"{order}HHI", tag, kind, 1) for tag, kind, _ in entries]
    values = [
        struct.pack(f"{order}HH", value, 0) if kind in (3, 8) else struct.pack(f"{order}I", value)
        for _, kind, value in entries
    ]
    return head + b"".join(f + v for f, v in zip(fields, values, strict=True)) + bytes(4)


def by_pillow(exif: bytes) -> int:
    found = Image.Exif()
    found.load(exif)
    value = found.get(ORIENTATION, 1)
    return value if value in range(1, 9) else 1


@given(
    head=st.sampled_from(sorted(HEADS)),
    prefix=st.sampled_from((b"", b"Exif\0\0", b"Exif\0\0Exif\0\0")),
    kind=st.sampled_from((3, 4, 8, 9)),
    value=st.integers(0, 10),
    before=st.lists(OTHERS, max_size=3, unique_by=lambda entry: entry[0]),
    behind=st.lists(OTHERS, max_size=3, unique_by=lambda entry: entry[0]),
)
def test_it_is_read_as_pillow_reads_it(
    head: bytes, prefix: bytes, kind: int, value: int, before: list[Entry], behind: list[Entry]
) -> None:
    exif = prefix + block([*before, (ORIENTATION, kind, value), *behind], head)
    assert orientation(exif) == by_pillow(exif) == (value if 1 <= value <= 8 else 1)


@given(st.data())
def test_no_block_is_too_bad(data: st.DataObject) -> None:
    whole = block([(0x0110, 4, 7), (ORIENTATION, 3, 6)], data.draw(st.sampled_from(sorted(HEADS))))
    broken = data.draw(st.one_of(st.binary(max_size=40), st.integers(0, len(whole)).map(lambda upto: whole[:upto])))
    assert orientation(broken) in (1, 6)


@pytest.mark.parametrize("exif", [None, b"", b"Exif\0\0", b"Exif\0\0II*\0\x08\0\0\0\xff\xff"])
def test_without_one_a_picture_stands_as_it_is(exif: bytes | None) -> None:
    assert orientation(exif) == 1
