"""One DICOM file to an image study, through a real sandbox process."""

import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from app_service.intake.examine import CanonicalStudy
from app_service.intake.found import find_studies
from app_service.intake.limits import IntakeSettings
from portal_wire.errors import Unprocessable
from tests.app_service.intake.dicom_maker import CANARY, made

RAMP = np.linspace(0, 4095, 40 * 60).reshape(40, 60).astype(np.uint16)
TWELVE: dict[str, Any] = {"BitsStored": 12, "HighBit": 11}


def taken_in(folder: Path, data: bytes, settings: IntakeSettings) -> tuple[CanonicalStudy, Any]:
    """The only study of a file, and its pixels."""
    folder.mkdir(exist_ok=True)
    original = folder / "original"
    original.write_bytes(data)
    (found,), refused = find_studies(original, settings, lambda: folder)
    assert refused == []
    image = (folder / "image").read_bytes()
    assert CANARY.encode() not in image
    assert sorted(path.name for path in folder.iterdir()) == ["image", "original"]
    return found[0], cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_UNCHANGED)


def test_a_radiograph_keeps_16_bits_modality_and_spacing(tmp_path: Path, sandbox: IntakeSettings) -> None:
    data = made(RAMP, **TWELVE, ImagerPixelSpacing=[0.15, 0.2])
    study, pixels = taken_in(tmp_path, data, sandbox)
    assert (study.kind, study.modality, study.shape) == ("image", "DX", (40, 60))
    assert study.spacing_mm == (0.15, 0.2)
    assert study.warnings == []
    assert pixels.dtype == np.uint16
    np.testing.assert_allclose(pixels, RAMP / 4095 * 65535, atol=1)


def test_eight_bits_without_a_window_stay_as_they_are(tmp_path: Path, sandbox: IntakeSettings) -> None:
    grey = (RAMP // 16).astype(np.uint8)
    study, pixels = taken_in(tmp_path, made(grey, Modality="CR"), sandbox)
    assert study.modality == "CR"
    np.testing.assert_array_equal(pixels, grey)


def test_monochrome1_is_turned_round_after_the_window(tmp_path: Path, sandbox: IntakeSettings) -> None:
    window = TWELVE | {"WindowCenter": [1000, 1], "WindowWidth": [500, 2]}
    _, plain = taken_in(tmp_path / "a", made(RAMP, **window), sandbox)
    _, turned = taken_in(tmp_path / "b", made(4095 - RAMP, **window, PhotometricInterpretation="MONOCHROME1"), sandbox)
    _, shape = taken_in(tmp_path / "c", made(RAMP, **window, PresentationLUTShape="INVERSE"), sandbox)
    expected = np.clip((RAMP.astype(float) - 999.5) / 499 + 0.5, 0, 1) * 65535  # PS3.3 C.11.2.1.2.1
    np.testing.assert_allclose(plain, expected, atol=1)
    # The window is on stored values, which the turned file has the other way round.
    np.testing.assert_allclose(turned, 65535 * (1 - np.clip((4095.0 - RAMP - 999.5) / 499 + 0.5, 0, 1)), atol=1)
    np.testing.assert_allclose(shape, 65535 - expected, atol=1)


def test_the_modality_lut_comes_before_the_window(tmp_path: Path, sandbox: IntakeSettings) -> None:
    signed = (RAMP.astype(np.int16)) - 500
    data = made(signed, RescaleSlope=2, RescaleIntercept=-1024, WindowCenter=40, WindowWidth=400)
    _, pixels = taken_in(tmp_path, data, sandbox)
    units = signed.astype(float) * 2 - 1024
    np.testing.assert_allclose(pixels, np.clip((units - 39.5) / 399 + 0.5, 0, 1) * 65535, atol=1)


def test_a_voi_table_goes_before_a_window(tmp_path: Path, sandbox: IntakeSettings) -> None:
    table = Dataset()
    table.LUTDescriptor = [4096, 0, 12]
    table.LUTData = [4095 - value for value in range(4096)]
    table["LUTData"].VR = "US"
    data = made(RAMP, **TWELVE, VOILUTSequence=Sequence([table]), WindowCenter=1, WindowWidth=2)
    _, pixels = taken_in(tmp_path, data, sandbox)
    np.testing.assert_allclose(pixels, (4095.0 - RAMP) / 4095 * 65535, atol=1)


def test_padding_is_black_and_does_not_stretch_the_grey_levels(tmp_path: Path, sandbox: IntakeSettings) -> None:
    signed = RAMP.astype(np.int16) // 10 + 100
    signed[:5] = -2000
    _, pixels = taken_in(tmp_path, made(signed, PixelPaddingValue=-2000), sandbox)
    assert not pixels[:5].any()
    assert (pixels[5:].min(), pixels[5:].max()) == (0, 65535)


def test_colour_comes_in_the_right_order(tmp_path: Path, sandbox: IntakeSettings) -> None:
    colour = np.zeros((40, 50, 3), np.uint8)
    colour[..., 0], colour[..., 2] = 200, 30
    study, pixels = taken_in(tmp_path, made(colour, Modality="XC"), sandbox)
    assert study.shape == (40, 50, 3)
    assert pixels[0, 0].tolist() == [30, 0, 200]  # OpenCV has blue first


def test_what_is_burned_in_is_told(tmp_path: Path, sandbox: IntakeSettings) -> None:
    study, _ = taken_in(tmp_path, made(RAMP, BurnedInAnnotation="YES"), sandbox)
    assert [notice.code for notice in study.warnings] == ["burned_in"]


def test_a_program_in_front_of_the_file_is_left_behind(tmp_path: Path, sandbox: IntakeSettings) -> None:
    program = b"MZ" + bytes(126)
    data = program + made(RAMP)[128:]
    taken_in(tmp_path, data, sandbox)
    assert not (tmp_path / "image").read_bytes().startswith(b"MZ")


def nested(depth: int) -> bytes:
    """A file with sequences of undefined length in one another; pydicom itself cannot write so many."""
    whole = made(RAMP)
    at = whole.index(b"\x28\0\x02\0US")  # SamplesPerPixel: the sequences go before it, as tag (0008,1115)
    start = b"\x08\0\x15\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    return whole[:at] + start * depth + end * depth + whole[at:]


REPORT = "1.2.840.10008.5.1.4.1.1.88.11"
DEFLATED = "1.2.840.10008.1.2.1.99"
JPIP = "1.2.840.10008.1.2.4.95"
TWELVE_BIT_JPEG = "1.2.840.10008.1.2.4.51"


def renamed(data: bytes, syntax: str) -> bytes:
    """The file with another transfer syntax of the same length written over its own (explicit little endian)."""
    own = b"1.2.840.10008.1.2.1\0"
    assert len(syntax) <= 22
    at = data.index(own)
    head = data[: at - 2] + len(syntax + "\0" * (len(syntax) % 2)).to_bytes(2, "little")
    return head + syntax.encode() + b"\0" * (len(syntax) % 2) + data[at + len(own) :]


def deflated(data: bytes) -> bytes:
    """The file with what follows its meta information as a raw stream (PS3.5 A.5)."""
    whole = renamed(data, DEFLATED)
    at = whole.index(b"\x08\0")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return whole[:at] + packer.compress(whole[at:]) + packer.flush()


def test_a_deflated_file_is_read_as_the_plain_one(tmp_path: Path, sandbox: IntakeSettings) -> None:
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    for folder, data in ((plain, made(RAMP)), (packed, deflated(made(RAMP)))):
        folder.mkdir()
        taken_in(folder, data, sandbox)
    assert (packed / "image").read_bytes() == (plain / "image").read_bytes()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (made(RAMP, SOPClassUID=REPORT), "sop_not_allowed"),
        (made(RAMP, SOPClassUID=None), "sop_not_allowed"),
        (renamed(made(RAMP), DEFLATED), "corrupt"),
        (deflated(made(RAMP))[:-400], "corrupt"),
        (deflated(made(RAMP) + bytes(11 * 2**20)), "too_large_inflated"),
        (renamed(made(RAMP), JPIP), "transfer_syntax_not_allowed"),
        (renamed(made(RAMP), TWELVE_BIT_JPEG), "transfer_syntax_not_allowed"),
        (renamed(made(RAMP), "1.2.840.10008.1.2.4.70"), "corrupt"),
        (made(RAMP, Rows=60_000, Columns=60_000), "too_many_pixels"),
        (made(RAMP, NumberOfFrames=100_000_000), "too_many_voxels"),
        (made(RAMP, Rows=400), "corrupt"),
        (made(RAMP)[:-2000], "corrupt"),
        (made(RAMP, Rows=0), "too_small"),
        (made(RAMP, BitsAllocated=64), "pixels_not_allowed"),
        (made(RAMP, BitsStored=0), "corrupt"),
        (made(RAMP, SamplesPerPixel=None), "corrupt"),
        (made(RAMP, PhotometricInterpretation="PALETTE COLOR"), "corrupt"),
        (made(RAMP, PhotometricInterpretation="CMYK"), "pixels_not_allowed"),
        (made(RAMP, RescaleSlope=0, RescaleIntercept=0), "bad_values"),
        (made(RAMP, WindowCenter=0, WindowWidth=0), "bad_values"),
        (nested(300), "too_deep"),
        (nested(30_000), "too_deep"),
        (made(RAMP[:20, :20]), "too_small"),
        (made(RAMP)[:140], "transfer_syntax_not_allowed"),
    ],
    ids=[
        *(
            "report",
            "no class",
            "not deflated",
            "cut deflated",
            "deflated zeros",
            "streamed",
            "12-bit JPEG",
            "no JPEG inside",
            "3600 MP",
            "many frames",
        ),
        *("too short", "cut", "no rows", "64 bits", "0 bits", "no samples", "no palette", "CMYK", "slope 0"),
        *("window 0", "300 deep", "30000 deep", "tiny", "head only"),
    ],
)
def test_refusals(tmp_path: Path, sandbox: IntakeSettings, data: bytes, code: str) -> None:
    original = tmp_path / "original"
    original.write_bytes(data)
    with pytest.raises(Unprocessable) as caught:
        find_studies(original, sandbox, lambda: tmp_path)
    assert caught.value.code == code
    assert "Canary" not in caught.value.detail
    assert not (tmp_path / "image").exists()
