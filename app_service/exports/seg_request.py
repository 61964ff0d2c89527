"""What the worker asks the sandbox for: a DICOM Segmentation, of the study as it was uploaded and its label map."""

import json
import logging
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from typing import NamedTuple

from app_service.intake.examine import in_sandbox
from app_service.intake.limits import IntakeSettings
from app_service.intake.medical import SEG_REQUEST
from app_service.intake.sniff import HEAD_BYTES, sniff
from app_service.storage.object_store import ObjectStore
from portal_wire.errors import Unprocessable

ORIGINAL, MASK, FACTS = "original", "mask.nii.gz", "facts.json"
NO_DICOM = "no_dicom"
_MAY_BE_DICOM = ("application/dicom", "application/zip")
_LOG = logging.getLogger("lightbox.worker")


class Source(NamedTuple):
    """What outlined a structure; `boxed`: with the help of a person, who drew boxes (PS3.3 C.8.20.2); `fast`: by its
    less exact setting."""

    model: str
    version: str
    boxed: bool
    fast: bool = False


def segmentation(
    store: ObjectStore,
    intake: IntakeSettings,
    study_id: str,
    mask: bytes,
    labels: Mapping[int, str],
    sources: Mapping[int, Source],
) -> bytes | None:
    """The object's bytes, or None for a study that came as no DICOM series. Each of `labels` has a source.

    Raises Unprocessable where the series makes no sound object.
    """
    with store.open(f"studies/{study_id}/original") as original:
        if sniff(original.read(HEAD_BYTES)).media_type not in _MAY_BE_DICOM:
            return None
        original.seek(0)
        facts = {"labels": dict(labels), "sources": {index: source._asdict() for index, source in sources.items()}}
        room = store.temporary_folder  # with the images, where there is room for them, and not in a folder of all
        with tempfile.TemporaryFile(dir=room) as request, tempfile.TemporaryFile(dir=room) as made:
            with zipfile.ZipFile(request, "w") as packed:
                with packed.open(ORIGINAL, "w", force_zip64=True) as target:
                    shutil.copyfileobj(original, target, 2**20)
                packed.writestr(MASK, mask)
                packed.writestr(FACTS, json.dumps(facts))
            try:
                in_sandbox(intake, SEG_REQUEST, request, made)
            except Unprocessable as error:
                if error.code == NO_DICOM:
                    return None  # an archive of something else
                _LOG.info("no_segmentation_object", extra={"facts": {"code": error.code}})
                raise
            made.seek(0)
            return made.read()
