"""What Alembic runs around each migration; `storage/migrate.py` hands it the URL."""

from alembic import context

from app_service.storage.database import open_engine
from app_service.storage.records import metadata

engine = open_engine(context.config.attributes["database_url"])
with engine.begin() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
    context.run_migrations()
engine.dispose()
