"""What the routes and the worker share: one of each connection a process."""

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import redis
from flask import current_app
from sqlalchemy import Engine

from app_service import ml_client
from app_service.calibration_book import CalibrationBook
from app_service.model_list import ModelList
from app_service.running.questions import Questions
from app_service.running.shadow import Shadows
from app_service.settings import Settings
from app_service.storage.database import open_engine
from app_service.storage.direct_store import DirectStore, open_direct
from app_service.storage.object_store import ObjectStore, open_store
from app_service.storage.queue import JobQueue
from app_service.storage.redis_client import open_redis
from app_service.stream_places import StreamPlaces
from app_service.version_book import VersionBook
from portal_wire.http_client import ServiceClient

if TYPE_CHECKING:
    from app_service.accounts.directory import Directory


@dataclass(frozen=True)
class Parts:
    """Opened, but not yet connected to anything."""

    settings: Settings
    engine: Engine
    redis: "redis.Redis"
    queue: JobQueue
    store: ObjectStore
    direct: DirectStore | None
    ml: ServiceClient
    models: ModelList
    book: VersionBook
    calibrations: CalibrationBook
    shadows: Shadows
    questions: Questions
    directory: "Directory | None"
    stream_places: StreamPlaces
    stopping: threading.Event  # set when this process is told to end


def open_parts(settings: Settings) -> Parts:
    """Everything that `settings` names."""
    engine, store = open_engine(settings.database_url), open_store(settings.store_url, settings.store_key)
    text = open_redis(settings.redis_url)
    ml = ServiceClient(settings.ml_url, settings.ml_service_token, timeout_s=settings.ml_timeout_s)
    book, calibrations = VersionBook(engine), CalibrationBook(engine)
    return Parts(
        settings=settings,
        engine=engine,
        redis=text,
        queue=JobQueue(text, open_redis(settings.redis_url, text=False)),
        store=store,
        direct=open_direct(settings.store_url, settings.store_origin, sealed=settings.store_key is not None),
        ml=ml,
        models=ModelList(lambda: ml_client.list_models(ml), book),
        book=book,
        calibrations=calibrations,
        shadows=Shadows(engine, store, ml, book, calibrations),
        questions=Questions(),
        directory=_directory(settings),
        stream_places=StreamPlaces(settings.streams_per_user, settings.streams_total),
        stopping=threading.Event(),
    )


def _directory(settings: Settings) -> "Directory | None":
    if settings.directory is None:
        return None
    from app_service.accounts.directory import Directory  # Authlib is loaded only where it is used

    return Directory(settings.directory)


def parts() -> Parts:
    """The parts of the application that answers the current request."""
    return cast(Parts, current_app.extensions["lightbox"])
