"""What becomes of 218 odd files that others collected to test their readers: a sound study, or which refusal.

`samples/outcomes.csv` has every one of them; the small ones whose licence is sure lie beside it. The others are read
where the whole collection lies beside the repository.
"""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from app_service.intake.dicom_header import read_header
from app_service.intake.dicom_pixels import frame
from app_service.intake.image import PARSERS
from app_service.intake.limits import Limits
from app_service.intake.quiet import quiet
from app_service.intake.sniff import HEAD_BYTES, sniff
from portal_wire.errors import PortalError

SAMPLES = Path(__file__).parent / "samples"
ROWS = list(csv.DictReader((SAMPLES / "outcomes.csv").read_text(encoding="utf-8").splitlines()))
COPIED = [row for row in ROWS if row["copied_from"]]
COLLECTION = Path(__file__).parents[4] / "shared" / "data"
MR = sorted((SAMPLES / "dicom" / "pydicom").glob("MR_small*.dcm"))


def outcome(data: bytes) -> str:
    """Such as "image MR 64 x 64" or the code of a refusal."""
    try:
        parsed = PARSERS[sniff(data[:HEAD_BYTES]).media_type or ""](data, Limits())
    except PortalError as error:
        return error.code
    length = int.from_bytes(parsed.body[-8:], "big")
    (study,) = json.loads(parsed.body[-8 - length : -8])["studies"]
    return " ".join((study["kind"], study["modality"], " x ".join(map(str, study["shape"]))))


@pytest.mark.parametrize("row", COPIED, ids=lambda row: row["file"])
def test_each_ends_as_the_table_says(row: dict[str, str]) -> None:
    assert outcome((SAMPLES / row["file"]).read_bytes()) == row["outcome"]


def test_those_that_do_not_lie_here_end_as_the_table_says_too() -> None:
    if not COLLECTION.is_dir():
        pytest.skip("the collection of odd files does not lie beside the repository (../shared/data)")
    expected = {row["file"]: row["outcome"] for row in ROWS if not row["copied_from"]}
    assert {file: outcome((COLLECTION / file).read_bytes()) for file in expected} == expected


def test_one_slice_stored_without_loss_has_the_same_values_however_it_is_stored() -> None:
    """Uncompressed in three orders of bytes, padded, as RLE, JPEG-LS and JPEG 2000."""
    headers = {path.name: read_header(path.read_bytes(), Limits()) for path in MR}
    assert len({header.file_meta.TransferSyntaxUID for header in headers.values()}) == 6 and len(headers) == 7
    as_written = np.frombuffer(headers["MR_small.dcm"].PixelData, "<i2").reshape(64, 64)
    assert len(np.unique(as_written)) > 100
    with quiet():  # of the padding
        stored = {name: frame(header, 0) for name, header in headers.items()}
    for name, values in stored.items():
        np.testing.assert_array_equal(values, as_written, err_msg=name)
    assert len({PARSERS["application/dicom"](path.read_bytes(), Limits()).body for path in MR}) == 1  # the pictures


def test_the_table_is_whole() -> None:
    assert len(ROWS) == 218
    there = {str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*") if path.is_file()}
    assert there == {row["file"] for row in COPIED} | {"outcomes.csv", "ATTRIBUTION.md"}


def test_every_way_to_end_is_shown_by_a_file_that_lies_here_or_by_a_test_beside() -> None:
    """The large files add no refusal that only they would show."""
    beside = "".join(
        (Path(__file__).parent / f"test_{name}.py").read_text("utf-8") for name in ("dicom_image", "volume")
    )
    shown = {row["outcome"].split()[0] for row in COPIED}
    for row in ROWS:
        way = row["outcome"].split()[0]
        assert way in shown or f'"{way}"' in beside, row
