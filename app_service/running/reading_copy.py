"""What a model is given of a study."""

from app_service.intake.examine import READING
from app_service.storage.object_store import ObjectStore
from portal_wire.errors import NotFound


def reading_copy(store: ObjectStore, study_id: str) -> bytes:
    """The picture that intake decoded for models, or the canonical study where it made none. Raises NotFound."""
    try:
        return store.read(f"studies/{study_id}/{READING}")
    except NotFound:
        return store.read(f"studies/{study_id}/image")
