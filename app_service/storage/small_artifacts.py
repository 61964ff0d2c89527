"""Small pictures that a job made lie in SQL, with its answer and in the same commit: a file of its own costs the store
two folders and four fsyncs. SQLite reads such blobs faster than files do (https://sqlite.org/fasterthanfs.html).

Where stored files are sealed, these are too, under the name that they would have in the store (ObjectStore.sealed).
"""

from sqlalchemy import Connection, select

from app_service.storage.object_store import ObjectStore
from app_service.storage.records import artifacts

LARGEST = 16 * 2**10  # bytes; a heat map takes 2 to 8 KiB
PICTURE = "image/png"


def is_small(media_type: str, data: bytes) -> bool:
    """Whether a file belongs into SQL. Volumes never do: their readers want a seekable file of the store."""
    return media_type == PICTURE and len(data) <= LARGEST


def small_artifact(connection: Connection, store: ObjectStore, job_id: str, attempt: int, name: str) -> bytes | None:
    """The file's bytes, or None for one that lies in the object store (or nowhere)."""
    table = artifacts.c
    query = select(table.content).where(table.job_id == job_id, table.attempt == attempt, table.name == name)
    content: bytes | None = connection.execute(query).scalar()
    return None if content is None else store.opened(f"jobs/{job_id}/{attempt}/{name}", content)
