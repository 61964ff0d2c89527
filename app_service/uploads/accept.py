"""One file of an upload: may it become a study, or several, and which models are to read them?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from app_service.domain.suitable import chosen, prompted, suggested
from app_service.intake.examine import CanonicalStudy
from app_service.intake.found import find_studies
from app_service.intake.notices import notice
from app_service.intake.sniff import NAMED_OTHERWISE, named_otherwise
from app_service.parts import Parts
from app_service.storage.clock import now
from app_service.uploads.form import Form
from app_service.uploads.part_file import PartFile, new_folder
from portal_wire.contract import Notice, Prompt, Rejected, User
from portal_wire.errors import TooLarge
from portal_wire.ids import new_id


class Run(NamedTuple):
    """A job to be."""

    model: str
    version: str
    prompts: Sequence[Prompt] = ()
    fast: bool = False


@dataclass(frozen=True)
class Accepted:
    """A study to be. `folder` holds `original`, `image` and perhaps `preview`."""

    row: dict[str, Any]
    folder: Path
    runs: list[Run]


def accept(parts: Parts, user: User, name: str, part: PartFile, form: Form) -> tuple[list[Accepted], list[Rejected]]:
    """Examine a file. What of an archive becomes no study is rejected beside the rest.

    Raises the error that its uploader should read.
    """
    if part.too_large:
        limit = parts.settings.max_file_bytes // 2**20
        raise TooLarge(f"Expected a file of at most {limit} MiB; this one is larger.", code="file_too_large")
    found, refused = find_studies(part.path, parts.settings.intake, new_folder)
    remarks = [notice(NAMED_OTHERWISE)] if named_otherwise(name, part.path) else []
    accepted = []
    for number, (canonical, folder) in enumerate(found, 1):
        row = _row(user, name if number == 1 else _numbered(name, number), part, form, canonical, remarks)
        accepted.append(Accepted(row, folder, _to_run(parts, form, canonical)))
    return accepted, [Rejected(filename=each.name, code=each.code, detail=each.detail) for each in refused]


def _row(
    user: User, name: str, part: PartFile, form: Form, canonical: CanonicalStudy, remarks: list[Notice]
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "owner_id": user.id,
        "uploaded_by": user.username,
        "uploaded_at": now(),
        "kind": canonical.kind,
        "modality": canonical.modality,
        "filename": name,
        "size_bytes": canonical.size_bytes or part.size_bytes,
        "sha256": canonical.sha256 or part.sha256,
        "shape": list(canonical.shape),
        "spacing_mm": list(canonical.spacing_mm) if canonical.spacing_mm else None,
        "media_type": canonical.media_type,
        "patient_reference": form.patient_reference,
        "warnings": [each.model_dump() for each in [*canonical.warnings, *remarks]],
    }


def _numbered(name: str, number: int) -> str:
    """For the further studies of one file: "knee.zip" becomes "knee (2).zip"."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem} ({number}){dot}{ending}" if stem else f"{name} ({number})"


def _to_run(parts: Parts, form: Form, study: CanonicalStudy) -> list[Run]:
    """The models that were named, or the site's own; boxes in the file itself are for the model that takes boxes."""
    models, kind = parts.models.all(), (study.kind, study.modality)
    taker = prompted(models, *kind) if study.prompts else None
    if not form.models:
        runs = [
            Run(model.name, model.active_version) for model in suggested(models, parts.settings.default_models, *kind)
        ]
        return [*runs, Run(taker.name, taker.active_version, study.prompts)] if taker else runs
    runs = []
    for name in form.models:
        prompts = study.prompts if taker and taker.name == name else ()
        runs.append(Run(*chosen(models, name, None, *kind, boxes=bool(prompts), fast=form.fast), prompts, form.fast))
    return runs
