"""An empty, migrated database with one doctor and one study."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine

from app_service.domain.answer import to_result
from app_service.storage.cache import Answer
from app_service.storage.clock import now
from app_service.storage.database import open_engine, writing
from app_service.storage.jobs import add_job, artifact
from app_service.storage.migrate import migrate
from app_service.storage.studies import add_study
from app_service.storage.users import add_user
from portal_wire.ids import new_id
from tests.app_service.fake_ml import findings


@dataclass
class Ward:
    """One doctor's data."""

    engine: Engine
    owner_id: str
    study_id: str

    def job(self) -> str:
        with writing(self.engine) as connection:
            return str(add_job(connection, self.owner_id, self.study_id, "pneumonia", "1").id)


def study_row(owner_id: str) -> dict[str, object]:
    facts = {"id": new_id(), "owner_id": owner_id, "uploaded_by": "doctor", "uploaded_at": now(), "kind": "image"}
    facts |= {"modality": "OT", "filename": "film.png", "size_bytes": 3 * 2**31, "sha256": "0" * 64, "shape": [9, 9]}
    return facts | {"spacing_mm": None, "media_type": "image/png", "patient_reference": None, "warnings": []}


def answer(job_id: str, probability: float = 0.9) -> Answer:
    result = to_result(findings(probability), queued_at=now(), started_at=now(), finished_at=now())
    return Answer(result=result, artifacts=[artifact(job_id, "heatmap.png", "image/png", 7)])


@pytest.fixture
def ward(database_url: str) -> Iterator[Ward]:
    migrate(database_url)
    engine = open_engine(database_url)
    with writing(engine) as connection:
        owner_id = add_user(connection, "doctor", "doctor", "no hash")
        row = study_row(owner_id)
        add_study(connection, row)
    yield Ward(engine, owner_id, str(row["id"]))
    engine.dispose()
