"""What the reconciler measures at each round: the queue, and the room that is left."""

import shutil

from sqlalchemy import Engine

from app_service.running.metrics import DEAD_LETTERS, QUEUE_AGE, QUEUE_LENGTH, RUNNING, STORE_FREE, STORE_SIZE
from app_service.storage.database import reading
from app_service.storage.object_store import ObjectStore
from app_service.storage.queue_state import queue_state


def measure_queue(engine: Engine) -> None:
    """Jobs that wait, run, and were given up."""
    with reading(engine) as connection:
        state = queue_state(connection)
    QUEUE_LENGTH.set(state.waiting)
    QUEUE_AGE.set(state.oldest_s)
    RUNNING.set(state.running)
    DEAD_LETTERS.set(state.given_up)


def measure_store(store: ObjectStore) -> None:
    """Room on the volume that uploads land on."""
    volume = shutil.disk_usage(store.temporary_folder)
    STORE_SIZE.set(volume.total)
    STORE_FREE.set(volume.free)
