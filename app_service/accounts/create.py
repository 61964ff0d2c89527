"""Make the first accounts: `python -m app_service.accounts.create`.

The passwords come from LIGHTBOX_DOCTOR_PASSWORD and LIGHTBOX_ADMIN_PASSWORD (or the files that *_FILE name); an
account that exists takes another one from there once, so its owner may change it. Where none is given, an account that
is missing gets a random one, and an account that exists keeps its own. Prints the random ones as JSON, {"doctor": "…"}:
they are kept nowhere else.
"""

import json
import secrets
import sys

from sqlalchemy import Engine

from app_service.accounts import audit
from app_service.accounts.passwords import SHORTEST, hash_password, matches
from app_service.settings import Settings
from app_service.storage.database import open_engine, writing
from app_service.storage.users import add_user, change_user, find_user
from portal_wire import env

ACCOUNTS = {"doctor": "LIGHTBOX_DOCTOR_PASSWORD", "admin": "LIGHTBOX_ADMIN_PASSWORD"}


def create_accounts(engine: Engine, passwords: dict[str, str], role: str | None = None) -> list[str]:
    """Add the accounts that are not there yet; returns the names that were added. The name is the role if not given."""
    added = []
    with writing(engine) as connection:
        for name, password in passwords.items():
            if find_user(connection, name) is None:
                add_user(connection, name, role or name, hash_password(password))
                added.append(name)
    return added


def take_passwords(engine: Engine, passwords: dict[str, str]) -> None:
    """Accounts that exist take these, each once: who has chosen another since then keeps that."""
    with writing(engine) as connection:
        for name, password in passwords.items():
            account = find_user(connection, name)
            if account is None or matches(account.given_hash, password):
                continue
            new = hash_password(password)
            if account.given_hash is None and matches(account.password_hash, password):
                change_user(connection, account.id, given_hash=new)
                continue
            change_user(connection, account.id, password_hash=new, given_hash=new, temporary_password=False)
            audit.record(connection, "reset_password", None, account.id)


def main() -> None:
    given = {name: password for name, variable in ACCOUNTS.items() if (password := env.secret(variable, ""))}
    for name, password in given.items():
        if len(password) < SHORTEST:
            raise env.SettingsError(f"{ACCOUNTS[name]}: expected {SHORTEST} characters or more, {len(password)} came.")
    random = {name: secrets.token_urlsafe(12) for name in ACCOUNTS if name not in given}
    engine = open_engine(Settings.from_environment().database_url)
    added = create_accounts(engine, given | random)
    take_passwords(engine, given)
    json.dump({name: random[name] for name in added if name in random}, sys.stdout)


if __name__ == "__main__":
    main()
