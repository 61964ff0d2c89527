"""B62 to B73: ZIP archives, NPZ files and what programs pickle. Nothing here is ever unpickled."""

import io
import pickle
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from tests.app_service.intake.test_volume import npz, zipped
from tests.bad_input.pictures import NOISE, saved
from tests.bad_input.zeros import Packed, crc_of_zeros, deflated_zeros

STORED, DEFLATED = 0, 8
ENCRYPTED = 1
MARK = Path("/tmp/lightbox-bad-input-ran")  # what a pickle of ours would make


class Evil:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (Path(MARK).touch, ())  # type: ignore[return-value]


def entry(name: bytes, packed: bytes, size: int, crc: int, method: int = DEFLATED, flags: int = 0) -> bytes:
    """A local header with its data."""
    facts = struct.pack("<HHHHHIIIHH", 20, flags, method, 0, 33, crc, len(packed), size, len(name), 0)
    return b"PK\x03\x04" + facts + name + packed


def line(name: bytes, packed: int, size: int, crc: int, at: int, method: int = DEFLATED, flags: int = 0) -> bytes:
    """A line of the directory; `packed` and `size` are lengths."""
    facts = struct.pack(
        "<HHHHHHIIIHHHHHII", 20, 20, flags, method, 0, 33, crc, packed, size, len(name), 0, 0, 0, 0, 0, at
    )
    return b"PK\x01\x02" + facts + name


def closed(files: bytes, lines: list[bytes], count: int | None = None) -> bytes:
    directory = b"".join(lines)
    number = len(lines) if count is None else count
    end = struct.pack("<HHHHIIH", 0, 0, number, number, len(directory), len(files), 0)
    return files + directory + b"PK\x05\x06" + end


def archive(*names_and_data: tuple[str, bytes]) -> bytes:
    """As `zipfile` would not write it: any name, and the same one twice."""
    files, lines = b"", []
    for name, data in names_and_data:
        coded, crc = name.encode(), zlib.crc32(data)
        lines.append(line(coded, len(data), len(data), crc, len(files), STORED))
        files += entry(coded, data, len(data), crc, STORED)
    return closed(files, lines)


def named(name: str) -> bytes:
    return archive((name, saved()))


def bomb() -> bytes:
    """Ten files of 100 MB of zeros in 1 MB."""
    size = 100_000_000
    packed, crc = deflated_zeros(size, Packed.RAW), crc_of_zeros(size)
    files, lines = b"", []
    for number in range(10):
        name = b"%d.png" % number
        lines.append(line(name, len(packed), size, crc, len(files)))
        files += entry(name, packed, size, crc)
    return closed(files, lines)


def overlapping() -> bytes:
    """Every line of the directory points at the same file (Fifield's bomb, in its simplest form)."""
    size = 2**20
    packed, crc = deflated_zeros(size, Packed.RAW), crc_of_zeros(size)
    files = entry(b"a", packed, size, crc)
    return closed(files, [line(b"a", len(packed), size, crc, 0)] * 1000)


def says_little() -> bytes:
    """10 bytes by its directory, 100 MB when it is unpacked."""
    size = 100_000_000
    packed, crc = deflated_zeros(size, Packed.RAW), crc_of_zeros(size)
    return closed(entry(b"a.png", packed, 10, crc), [line(b"a.png", len(packed), 10, crc, 0)])


def many_empty() -> bytes:
    """100,000 files; the count of a plain directory ends at 65,535, so it is told modulo that."""
    return closed(entry(b"0", b"", 0, 0), [line(b"0", 0, 0, 0, 0, STORED)] * 100_000, 100_000 % 65536)


def encrypted() -> bytes:
    data = saved()
    crc = zlib.crc32(data)
    files = entry(b"a.png", data, len(data), crc, STORED, ENCRYPTED)
    return closed(files, [line(b"a.png", len(data), len(data), crc, 0, STORED, ENCRYPTED)])


def nested() -> bytes:
    return zipped({"inner.zip": zipped({"film.png": saved()})})


def zip64_junk() -> bytes:
    """Sizes that stand in a zip64 field, which is not there."""
    data = saved()
    return closed(entry(b"a", data, 2**32 - 1, 0, STORED), [line(b"a", 2**32 - 1, 2**32 - 1, 0, 2**32 - 1, STORED)])


def bad_crc() -> bytes:
    data = saved()
    return closed(entry(b"a", data, len(data), 7, STORED), [line(b"a", len(data), len(data), 7, 0, STORED)])


def many_names() -> bytes:
    """The same name twice, in both cases, in two forms of Unicode, and the name of a device: four different films."""
    other = saved(NOISE[::-1])
    composed, apart = "\u00e9.png", "e\u0301.png"
    films = [("CON.png", saved()), ("a.png", saved(NOISE.T)), ("a.png", other), ("A.png", saved(NOISE[:, ::-1]))]
    return archive(*films, (composed, saved(NOISE[:40])), (apart, saved(NOISE[:50])))


def pickled_npz() -> bytes:
    return npz(imgs=np.array([Evil()], object))


def pickled_npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([Evil()], object), allow_pickle=True)
    return file.getvalue()


def pickled() -> bytes:
    return pickle.dumps(Evil())


def torch_file() -> bytes:
    return zipped({"archive/data.pkl": pickle.dumps(Evil()), "archive/version": b"3\n"})


def keras_file() -> bytes:
    config = b'{"class_name": "Lambda", "config": {"function": "canary"}}'
    return zipped({"metadata.json": b"{}", "config.json": config, "model.weights.h5": hdf5()})


def hdf5() -> bytes:
    return b"\x89HDF\r\n\x1a\n" + bytes(500)


def array_header(described: str, data: bytes = bytes(64)) -> bytes:
    """An NPZ whose one array has this header."""
    text = described.encode().ljust(118 + 64 * (len(described) // 64), b" ") + b"\n"
    return zipped({"imgs.npy": b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text + data})


def claimed(descr: str, shape: str, fortran: str = "False") -> bytes:
    return array_header(f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape}}}")


def long_header() -> bytes:
    text = b"{'descr': '|u1', 'fortran_order': False, 'shape': (64, 64)}" + b" " * 2**20 + b"\n"
    return zipped({"imgs.npy": b"\x93NUMPY\x02\0" + struct.pack("<I", len(text)) + text + bytes(4096)})


def arrays(**more: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **more)
    return file.getvalue()


def with_truth() -> bytes:
    return arrays(imgs=NOISE, gts=np.ones_like(NOISE), boxes=np.array([[1, 2, 3, 4]]), other=np.zeros(3))


def stack_of(dtype: str, value: float = 1.0) -> bytes:
    values = np.zeros((4, 40, 40), dtype)
    values[1] = value
    return arrays(imgs=values, spacing=np.array([0.7, 0.9, 2.5]))
