"""Files without a row go after a day; what has a row, is young, strange or too many stays."""

import pytest

from app_service.parts import Parts
from app_service.running import orphans
from app_service.running.orphans import sweep
from portal_wire.errors import NotFound
from portal_wire.ids import new_id
from tests.app_service.conftest import Caller

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
OLD = "01800000-0000-7000-8000-00000000000{}"  # ids of the year 2022
STRANGE = ["notes", "01800000-0000-4000-8000-000000000001"]


def test_only_old_files_without_a_row_go(doctor: Caller, parts: Parts) -> None:
    known, young = doctor.upload_one()["study_id"], new_id()
    for name in (OLD.format(1), young, *STRANGE):
        parts.store.put_bytes(f"studies/{name}/original", b"film")
    parts.store.put_bytes(f"jobs/{OLD.format(2)}/1/heatmap.png", b"map")
    sweep(parts)
    assert set(parts.store.names("studies")) == {known, young, *STRANGE}
    assert parts.store.names("jobs") == []
    sweep(parts, kept_s=0)
    assert set(parts.store.names("studies")) == {known, *STRANGE}
    with pytest.raises(NotFound):
        parts.store.read(f"studies/{OLD.format(1)}/original")


def test_many_are_left_for_a_person(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(orphans, "MOST", 1)
    for number in (1, 2):
        parts.store.put_bytes(f"studies/{OLD.format(number)}/original", b"film")
    sweep(parts)
    assert len(parts.store.names("studies")) == 2
    assert "store_has_orphans" in caplog.text
