"""Bring the database to this version's tables: `python -m app_service.storage.migrate`. Safe to repeat."""

import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url

from app_service.settings import Settings


def migrate(database_url: str) -> None:
    """Apply every missing migration; the folder of an SQLite file is made when absent."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["database_url"] = database_url
    os.umask(0o077)  # nobody but this user reads the database
    command.upgrade(config, "head")


if __name__ == "__main__":
    migrate(Settings.from_environment().database_url)
