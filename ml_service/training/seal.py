"""The last step of every change to a version's folder: hashes of all files, then model.json."""

import hashlib
from pathlib import Path
from typing import TypeVar

from ml_service import manifest as manifests
from ml_service.manifest import Manifest, Prompted, Rules, Volumetric

Told = TypeVar("Told", Manifest, Rules, Prompted, Volumetric)


def seal(folder: Path, manifest: Told) -> Told:
    """Writes model.json with the SHA-256 of every other file and returns it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != manifests.FILE)
    hashes = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    sealed = manifest.model_copy(update={"files": hashes})
    (folder / manifests.FILE).write_text(sealed.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return sealed
