"""The shipped models, and one version more: the same network under an older number, so that two can be compared."""

import json
import shutil
from pathlib import Path

from ml_service.manifest import FILE
from ml_service.settings import SHIPPED

OLDER = "0"  # below every shipped version, so that none of them loses its place


def with_an_older_version(folder: Path, name: str = "pneumonia") -> Path:
    """Returns `folder` with links to every shipped version, and version 0 of `name` beside them."""
    for manifest in SHIPPED.glob(f"*/*/{FILE}"):
        place = folder / manifest.parent.relative_to(SHIPPED)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(manifest.parent)
    first = min((SHIPPED / name).iterdir())
    older = Path(shutil.copytree(first, folder / name / OLDER))
    facts = json.loads((older / FILE).read_text(encoding="utf-8"))
    (older / FILE).write_text(json.dumps(facts | {"version": OLDER}), encoding="utf-8")
    return folder
