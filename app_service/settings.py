"""The App tier's settings, read once from LIGHTBOX_* and never changed."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from app_service.accounts.directory_settings import DirectorySettings
from app_service.health_imaging.settings import ImportSettings
from app_service.intake.limits import IntakeSettings
from app_service.storage.store_keys import OuterKey, outer_key
from portal_wire import env

MIB = 2**20


@dataclass(frozen=True)
class Settings:
    """Sizes in bytes, times in seconds. The api and the worker read the same settings."""

    database_url: str
    redis_url: str
    store_url: str
    ml_url: str
    ml_service_token: str
    service_token: str
    intake: IntakeSettings
    health_imaging: ImportSettings | None = None
    account_key: str = ""
    directory: DirectorySettings | None = None
    store_key: OuterKey | None = field(default=None, repr=False)
    store_origin: str = ""  # where browsers reach the bucket; empty: they do not
    direct_upload_bytes: int = 64 * MIB
    default_models: tuple[str, ...] = ("pneumonia", "ct-tissue")
    max_file_bytes: int = 512 * MIB
    max_upload_bytes: int = 1024 * MIB
    max_files_per_upload: int = 2000
    max_open_jobs: int = 10_000
    session_idle_s: int = 15 * 60
    session_absolute_s: int = 8 * 3600
    streams_per_user: int = 8
    streams_total: int = 40
    retention_days: int = 0  # 0: studies are kept until somebody deletes them
    worker_threads: int = 12
    worker_port: int = 5002
    worker_bind: str = "127.0.0.1"
    ml_timeout_s: float = 60.0

    @classmethod
    def from_environment(cls) -> "Settings":
        """Raises SettingsError, which names the variable, when one is missing or wrong."""
        return cls(
            database_url=database_url(),
            redis_url=env.url("LIGHTBOX_REDIS_URL", "redis://127.0.0.1:6379/0", schemes=("redis", "rediss", "unix")),
            store_url=store_url(),
            store_key=outer_key(),
            store_origin=env.url("LIGHTBOX_STORE_ORIGIN") if os.environ.get("LIGHTBOX_STORE_ORIGIN") else "",
            direct_upload_bytes=env.integer("LIGHTBOX_DIRECT_UPLOAD_BYTES", 64 * MIB, minimum=1),
            ml_url=env.url("LIGHTBOX_ML_URL", "http://127.0.0.1:8000"),
            ml_service_token=env.secret("LIGHTBOX_ML_SERVICE_TOKEN"),
            service_token=env.secret("LIGHTBOX_APP_SERVICE_TOKEN"),
            account_key=env.secret("LIGHTBOX_ACCOUNT_KEY", "") or env.secret("LIGHTBOX_APP_SERVICE_TOKEN"),
            directory=DirectorySettings.from_environment(),
            intake=IntakeSettings.from_environment(),
            health_imaging=ImportSettings.from_environment(),
            default_models=env.names("LIGHTBOX_DEFAULT_MODELS", "pneumonia,ct-tissue"),
            max_file_bytes=env.integer("LIGHTBOX_MAX_FILE_BYTES", 512 * MIB, minimum=1),
            max_upload_bytes=env.integer("LIGHTBOX_MAX_UPLOAD_BYTES", 1024 * MIB, minimum=1),
            max_files_per_upload=env.integer("LIGHTBOX_MAX_FILES_PER_UPLOAD", 2000, minimum=1),
            max_open_jobs=env.integer("LIGHTBOX_MAX_OPEN_JOBS", 10_000, minimum=1),
            session_idle_s=env.integer("LIGHTBOX_SESSION_IDLE_S", 15 * 60, minimum=1),
            session_absolute_s=env.integer("LIGHTBOX_SESSION_ABSOLUTE_S", 8 * 3600, minimum=1),
            streams_per_user=env.integer("LIGHTBOX_STREAMS_PER_USER", 8, minimum=1),
            streams_total=env.integer("LIGHTBOX_STREAMS_TOTAL", 40, minimum=1),
            retention_days=env.integer("LIGHTBOX_RETENTION_DAYS", 0, maximum=36500),
            worker_threads=env.integer("LIGHTBOX_WORKER_THREADS", 12, minimum=1, maximum=256),
            worker_port=env.integer("LIGHTBOX_WORKER_PORT", 5002, maximum=65535),
            worker_bind=env.text("LIGHTBOX_WORKER_BIND", "127.0.0.1"),
            ml_timeout_s=env.number("LIGHTBOX_ML_TIMEOUT_S", 60.0, minimum=1),
        )


def database_url() -> str:
    """Where the database is; all that a command needs which only looks at it."""
    return env.secret("LIGHTBOX_DATABASE_URL", f"sqlite:///{_data_folder()}/lightbox.db")


def store_url() -> str:
    """Where files lie."""
    return env.url("LIGHTBOX_STORE_URL", f"file://{_data_folder()}/objects", schemes=("file", "s3"))


def _data_folder() -> Path:
    return Path(env.text("LIGHTBOX_DATA_DIR", "var")).absolute()
