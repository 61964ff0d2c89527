"""Every act that the audit knows, brought about by the portal's own ways in: by whom, in which role, on what, how."""

import hashlib
import re
from pathlib import Path
from typing import get_args

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from app_service import audit as program
from app_service.accounts.audit import Action
from app_service.accounts.limits_hit import ONCE_IN_S
from app_service.parts import Parts
from app_service.storage.database import reading
from app_service.storage.records import audit, users
from tests.app_service.acts import CASES, World
from tests.app_service.conftest import Caller, film
from tests.app_service.fake_ml import FakeMl
from tests.app_service.test_object_store import s3_endpoint, s3_url

__all__ = ["s3_endpoint", "s3_url"]
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def world(
    app: APIFlask,
    parts: Parts,
    ml: FakeMl,
    doctor: Caller,
    other: Caller,
    admin: Caller,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    return World(app, parts, ml, doctor, other, admin, request, monkeypatch)


@ON_SQLITE
@pytest.mark.parametrize("action", get_args(Action))
def test_it_leaves_its_row(action: Action, world: World) -> None:
    expected = CASES[action](world)
    joined = select(audit, users.c.username, users.c.role.label("now")).outerjoin(users, users.c.id == audit.c.actor_id)
    with reading(world.parts.engine) as connection:
        rows = connection.execute(joined.where(audit.c.action == action).order_by(audit.c.seq.desc())).all()
    assert rows, f"nothing says that somebody did {action}"
    found = rows[0]
    assert (found.username, found.object_id, found.outcome) == (expected.by, expected.about, expected.outcome)
    assert found.details == expected.details
    assert found.role == (found.now if expected.by and action != "end_emergency" else None)
    assert program.verify(world.parts.engine).seq >= found.seq
    if action == "limited":
        assert len(rows) == 1 and ONCE_IN_S > 60


def test_no_case_and_no_line_of_the_page_is_for_an_act_that_is_gone() -> None:
    page = (Path(__file__).parents[2] / "docs" / "audit.md").read_text()
    listed = [
        name
        for line in page.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    ]
    assert sorted(listed) == sorted(CASES) == sorted(get_args(Action))


@ON_SQLITE
def test_a_refused_file_is_told_by_its_hash_and_size_and_not_by_its_name(doctor: Caller, parts: Parts) -> None:
    doctor.upload((b"no image at all", "Meier.png"), (film(), "good.png"), (b"x" * (2**20 + 5), "large.png"))
    with reading(parts.engine) as connection:
        refused = select(audit).where(audit.c.action == "upload", audit.c.outcome != "done").order_by(audit.c.seq)
        rows = connection.execute(refused).all()
    assert [row.outcome for row in rows] == ["type_mismatch", "file_too_large"]
    assert rows[0].details == {"size_bytes": 15, "sha256": hashlib.sha256(b"no image at all").hexdigest()}
    assert rows[1].details == {"size_bytes": 2**20 + 5} and "Meier" not in str(rows)
