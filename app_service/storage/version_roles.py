"""Which version of a model does what, in SQL: one row a model."""

from sqlalchemy import Connection, insert, select, update

from app_service.domain.versions import Roles
from app_service.storage.clock import now
from app_service.storage.records import version_roles


def read_roles(connection: Connection) -> dict[str, Roles]:
    """The roles by model."""
    return {row.model: Roles(row.active, row.shadow, tuple(row.retired)) for row in connection.execute(_EVERY)}


def roles_to_change(connection: Connection, model: str) -> Roles | None:
    """A model's roles, which nobody else changes until this transaction ends; None when it has none yet."""
    query = _EVERY.where(version_roles.c.model == model).with_for_update()
    row = connection.execute(query).first()
    return Roles(row.active, row.shadow, tuple(row.retired)) if row else None


def add_roles(connection: Connection, model: str, roles: Roles) -> None:
    """A model's first roles. Raises IntegrityError when somebody was faster."""
    connection.execute(insert(version_roles).values(model=model, **_values(roles)))


def change_roles(connection: Connection, model: str, roles: Roles) -> None:
    """Other roles for a model that has some."""
    connection.execute(update(version_roles).where(version_roles.c.model == model).values(_values(roles)))


def _values(roles: Roles) -> dict[str, object]:
    facts = {"active": roles.active, "shadow": roles.shadow, "retired": list(roles.retired)}
    return facts | {"changed_at": now()}


_EVERY = select(version_roles)
