"""Files that are made of stored ones when somebody asks for them, in the sandbox's child: it may parse, and nothing
that it loads or holds stays in App."""

import tempfile

from app_service.intake.examine import in_sandbox
from app_service.intake.limits import IntakeSettings
from app_service.storage.object_store import ObjectStore


def made_in_child(store: ObjectStore, intake: IntakeSettings, media_type: str, request: bytes) -> bytes:
    """What the child makes of `request`, by its type. Raises what the child refuses, and Unavailable."""
    room = store.temporary_folder
    with tempfile.TemporaryFile(dir=room) as source, tempfile.TemporaryFile(dir=room) as made:
        source.write(request)
        source.flush()
        in_sandbox(intake, media_type, source, made)
        made.seek(0)
        return made.read()
