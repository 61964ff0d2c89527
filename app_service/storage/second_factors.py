"""Second factors in SQL. What may be used once is used once, also when two ask at the same moment."""

from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from app_service.storage.records import recovery_codes, second_factors

_of = second_factors.c.user_id


def find_factor(connection: Connection, user_id: str) -> Row[Any] | None:
    """(user_id, secret, confirmed, last_step); the secret is encrypted."""
    return connection.execute(select(second_factors).where(_of == user_id)).first()


def with_factor(connection: Connection) -> set[str]:
    """Ids of the accounts that have one."""
    return set(connection.execute(select(_of).where(second_factors.c.confirmed)).scalars())


def begin_factor(connection: Connection, user_id: str, secret: str) -> None:
    """Keep a secret that counts once it is confirmed, in place of one that never was."""
    connection.execute(delete(second_factors).where(_of == user_id))
    values = {"user_id": user_id, "secret": secret, "confirmed": False, "last_step": 0}
    connection.execute(insert(second_factors).values(values))


def use_step(connection: Connection, user_id: str, step: int) -> bool:
    """Whether the code of this time step had not been used, nor a later one; from now on it has."""
    later = update(second_factors).where(_of == user_id, second_factors.c.last_step < step)
    return connection.execute(later.values(last_step=step)).rowcount == 1


def confirm_factor(connection: Connection, user_id: str, code_hashes: list[str]) -> None:
    """From now on it is asked for; the recovery codes stand in for it, each once."""
    connection.execute(update(second_factors).where(_of == user_id).values(confirmed=True))
    connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    connection.execute(insert(recovery_codes), [{"user_id": user_id, "hash": one} for one in code_hashes])


def use_recovery_code(connection: Connection, user_id: str, code_hash: str) -> bool:
    """Whether it was one that had not been used; from now on it has."""
    mine = (recovery_codes.c.user_id == user_id, recovery_codes.c.hash == code_hash)
    return connection.execute(delete(recovery_codes).where(*mine)).rowcount == 1


def codes_left(connection: Connection, user_id: str) -> int:
    """How many recovery codes have not been used."""
    query = select(func.count()).select_from(recovery_codes).where(recovery_codes.c.user_id == user_id)
    return int(connection.execute(query).scalar_one())


def remove_factor(connection: Connection, user_id: str) -> None:
    """Nothing but the password is asked for any more."""
    for table in (recovery_codes, second_factors):
        connection.execute(delete(table).where(table.c.user_id == user_id))
