"""What an import job tells, in the shapes that AWS documents: its manifest, failure.ndjson and success.ndjson."""

import json
from typing import Any

import pytest

from app_service.health_imaging.manifest import FAILED, INCOMPLETE, NOT_PRIMARY, notices_of
from app_service.health_imaging.settings import ImportSettings
from portal_wire.env import SettingsError

# As in https://docs.aws.amazon.com/healthimaging/latest/devguide/understanding-import-jobs.html, other ids.
FAILURE = (
    '{"inputFile":"in/seg.dcm","exception":{"exceptionType":"ValidationException",'
    '"message":"DICOM attribute TransferSyntaxUID does not exist"}}'
)
PRIMARY = (
    '{"inputFile":"in/seg.dcm","importResponse":{"imageSetId":"12345612345612345678907890789012", "isPrimary": True}}'
)
TOLD = {"DATASTORE": "1" * 32, "ROLE": "arn:aws:iam::123456789012:role/r", "FOLDER": "s3://films/import/"}


def summary(scanned: int, imported: int, **more: Any) -> dict[str, Any]:
    return {"numberOfScannedFiles": scanned, "numberOfImportedFiles": imported, **more}


def codes(*asked: Any) -> list[str]:
    return [each.code for each in notices_of(*asked)]


def test_nothing_is_said_of_what_went_well() -> None:
    assert notices_of(summary(1, 1), [], [PRIMARY]) == []
    assert notices_of(summary(1, 1), [], [PRIMARY.replace("True", "true")]) == []


def test_a_file_that_was_refused_has_its_reason_and_no_name() -> None:
    (told,) = notices_of(summary(1, 0), [FAILURE], [])
    assert told.code == FAILED and told.detail.endswith("DICOM attribute TransferSyntaxUID does not exist")
    assert "seg.dcm" not in told.detail


def test_one_that_stands_beside_its_series_is_told() -> None:
    assert codes(summary(1, 1), [], [PRIMARY.replace("True", "False")]) == [NOT_PRIMARY]


@pytest.mark.parametrize("counts, lines", [(summary(1, 0), []), (summary(0, 0), []), ({}, []), (summary(1, 0), ["no"])])
def test_counts_that_do_not_fit_are_told_too(counts: dict[str, Any], lines: list[str]) -> None:
    assert codes(counts, lines, []) == [INCOMPLETE]


def test_a_reason_is_short_and_plain() -> None:
    for exception in ({"message": "x" * 5000}, {"message": "a\nb\x00"}, None, "odd", {}):
        (told,) = notices_of(summary(1, 0), [json.dumps({"exception": exception})], [])
        assert len(told.detail) < 400 and told.detail.isprintable()


def test_settings_are_off_until_a_data_store_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ImportSettings.from_environment() is None
    for name, text in TOLD.items():
        monkeypatch.setenv(f"LIGHTBOX_HEALTHIMAGING_{name}", text)
    assert ImportSettings.from_environment() == ImportSettings("1" * 32, TOLD["ROLE"], "s3://films/import")


@pytest.mark.parametrize("name", list(TOLD))
def test_a_wrong_setting_stops_the_start(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for each, text in (TOLD | {name: "wrong"}).items():
        monkeypatch.setenv(f"LIGHTBOX_HEALTHIMAGING_{each}", text)
    with pytest.raises(SettingsError, match=f"LIGHTBOX_HEALTHIMAGING_{name}"):
        ImportSettings.from_environment()
