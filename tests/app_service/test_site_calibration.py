"""A labelled folder becomes a fit: read, seen through intake and the ML tier, stored, and put in force when asked."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from app_service.labelled_folder import read
from app_service.parts import Parts
from app_service.site_calibration import calibrate
from app_service.storage.database import reading
from app_service.storage.records import audit, site_calibrations
from portal_wire.errors import NotFound, Unprocessable
from tests.app_service.conftest import film
from tests.app_service.fake_ml import SITES, FakeMl, findings

CLASSES = ["normal", "pneumonia"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three films of each class, and a file that is none."""
    for number in range(6):
        path = tmp_path / "films" / ("NORMAL", "Pneumonia")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(film(number))
    (tmp_path / "films" / "NORMAL" / "notes.txt").write_text("not a film")
    return tmp_path / "films"


def table(folder: Path, *rows: str) -> Path:
    (folder / "labels.csv").write_text("\n".join(rows))
    return folder


def test_subfolders_are_classes(folder: Path) -> None:
    found = read(folder, CLASSES)
    assert sorted(image.number for image in found) == [0, 0, 0, 0, 1, 1, 1]
    assert len({image.patient for image in found}) == 7


def test_a_table_says_class_and_patient(folder: Path) -> None:
    table(folder, "path,label,patient_key", "NORMAL/0.png,NORMAL,a", "Pneumonia/1.png,pneumonia,a")
    assert [(image.number, image.patient) for image in read(folder, CLASSES)] == [(0, "a"), (1, "a")]


def test_a_label_that_is_no_class_is_named(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"normal, pneumonia. Received also: flu"):
        read(table(folder, "path,label", "NORMAL/0.png,flu"), CLASSES)
    with pytest.raises(ValueError, match="columns path and label"):
        read(table(folder, "file,class", "NORMAL/0.png,normal"), CLASSES)
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match="one subfolder a class"):
        read(folder / "empty", CLASSES)


def test_a_folder_is_fitted_and_waits(folder: Path, parts: Parts, ml: FakeMl) -> None:
    made = calibrate(parts, "pneumonia", None, folder, use=False)
    assert made["calibration"] == SITES
    assert made["evidence"]["n"] == 6 and made["evidence"]["left_out"] == {"unreadable": 1}
    (cases,) = ml.cases
    assert cases["logits"] == [[2.0]] * 6 and len(set(cases["patients"])) == 6
    with reading(parts.engine) as connection:
        (row,) = connection.execute(select(site_calibrations))
        assert (row.source, row.created_by, row.active) == ("folder", None, False)
    assert "png" not in json.dumps(row.evidence)


def test_used_at_once_and_audited(folder: Path, parts: Parts) -> None:
    made = calibrate(parts, "pneumonia", "1", folder, use=True)
    used = parts.calibrations.of("pneumonia", "1")
    assert used is not None and (used.id, used.parameters, used.n) == (made["id"], SITES, 6)
    with reading(parts.engine) as connection:
        acts = list(connection.execute(select(audit.c.action).order_by(audit.c.id)).scalars())
    assert acts[-2:] == ["fit_calibration", "use_calibration"]


def test_refused_films_are_counted_and_too_few_make_no_fit(folder: Path, parts: Parts, ml: FakeMl) -> None:
    refusal = {"label": "not_answered", "findings": [], "in_distribution": False, "logits": None}
    ml.said = findings() | refusal
    with pytest.raises(Unprocessable, match="no case yet"):
        calibrate(parts, "pneumonia", None, folder, use=False)
    with pytest.raises(NotFound):
        calibrate(parts, "pneumonia", "9", folder, use=False)
