"""What the ML tier can be told from outside."""

from dataclasses import dataclass
from pathlib import Path

from ml_service.engines import ENGINES
from portal_wire import env

SHIPPED = Path(__file__).parent / "models"


@dataclass(frozen=True)
class Settings:
    """Built once, from the environment or by a test."""

    service_token: str | None
    model_dir: Path = SHIPPED  # <name>/<version>/model.json
    model_store_url: str = ""  # s3://bucket/prefix, whose versions are copied into model_dir
    batch_rows: int = 16  # images in a request, and in one pass of the network where its engine does not say fewer
    queue_rows: int = 64  # images that wait for the network; more are turned away
    deadline_s: float = 30.0  # a request that waited longer is dropped unanswered
    threads: int = 0  # of the network; 0: half as many as cores (TensorFlow: as many)
    engine: str = "auto"  # or openvino, tensorflow; for models that name none
    first: tuple[str, ...] = ()  # models that must be ready before the tier is; none of them there: all
    studies_mb: int = 512  # of volumes and images that were read last, kept so that a box comes without its study
    embeddings_mb: int = 256  # of slices' embeddings, kept so that a further box costs the decoder alone
    memory_mb: int = 0  # of all versions in memory; the least recently used leave it. 0: no limit

    @classmethod
    def from_environment(cls) -> "Settings":
        """Reads LIGHTBOX_ML_*; raises SettingsError for a bad value."""
        return cls(
            service_token=env.secret("LIGHTBOX_ML_SERVICE_TOKEN"),
            model_dir=Path(env.text("LIGHTBOX_MODEL_DIR", str(SHIPPED))),
            model_store_url=_model_store(),
            batch_rows=env.integer("LIGHTBOX_ML_BATCH_SIZE", 16, 1, 256),
            queue_rows=env.integer("LIGHTBOX_ML_QUEUE_SIZE", 64, 1, 10_000),
            deadline_s=env.number("LIGHTBOX_ML_DEADLINE_SECONDS", 30.0, 0.1, 3600),
            threads=env.integer("LIGHTBOX_ML_THREADS", 0, 0, 1024),
            engine=_engine(env.text("LIGHTBOX_ML_ENGINE", "auto")),
            first=env.names("LIGHTBOX_ML_FIRST_MODELS", "pneumonia,brain-tumour"),
            studies_mb=env.integer("LIGHTBOX_ML_STUDIES_MB", 512),
            embeddings_mb=env.integer("LIGHTBOX_ML_EMBEDDINGS_MB", 256),
            memory_mb=env.integer("LIGHTBOX_ML_MEMORY_MB", 0),
        )


def _model_store() -> str:
    """The S3 folder, if one is named; then LIGHTBOX_MODEL_DIR must name a folder for the copies."""
    if not env.text("LIGHTBOX_MODEL_STORE_URL", ""):
        return ""
    env.text("LIGHTBOX_MODEL_DIR")
    return env.url("LIGHTBOX_MODEL_STORE_URL", schemes=("s3",))


def _engine(name: str) -> str:
    if name not in ENGINES:
        raise env.SettingsError(
            f"LIGHTBOX_ML_ENGINE: expected one of {', '.join(ENGINES)}, {len(name)} characters came."
        )
    return name
