"""What a file holds: one picture as `examine` gives it, or the studies of a package, each in a folder of its own."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app_service.intake.examine import CanonicalStudy, examine
from app_service.intake.limits import IntakeSettings
from app_service.intake.notices import notice
from app_service.intake.package import MEDIA_TYPE, Facts, Refused, contents, sha256, unpack
from app_service.intake.refusals import corrupt
from portal_wire.contract import Prompt

Found = list[tuple[CanonicalStudy, Path]]


def find_studies(
    original: Path, settings: IntakeSettings, another_folder: Callable[[], Path]
) -> tuple[Found, list[Refused]]:
    """The studies of the file `original`, and what of an archive became none.

    Each study has a folder with `original`, `image` and, for a volume, `preview`: that of `original` itself, and
    then ones that `another_folder` makes on the same file system. Of an archive of several studies each has its own
    files as its original. Raises what `examine` raises.
    """
    target = original.with_name("image")
    study = examine(original, target, settings)
    if study.media_type != MEDIA_TYPE:
        return [(study, original.parent)], []
    try:
        table = contents(target)
        studies = [_study(facts) for facts in table.studies]
    except (ValueError, KeyError) as error:  # the child read a foreign file; it is not believed blindly
        target.unlink()
        raise corrupt("Reading it failed.") from error
    folders = [original.parent, *(another_folder() for _ in studies[1:])]
    try:
        unpack(target, table, folders, original)
    except ValueError as error:
        target.unlink(missing_ok=True)
        raise corrupt("Reading it failed.") from error
    parts = zip(studies, table.studies, folders, strict=True)
    return [
        (_of_its_own(study, folder / original.name) if facts.own else study, folder) for study, facts, folder in parts
    ], table.refused


def _of_its_own(study: CanonicalStudy, original: Path) -> CanonicalStudy:
    return replace(study, sha256=sha256(original), size_bytes=original.stat().st_size)


def _study(facts: Facts) -> CanonicalStudy:
    return CanonicalStudy(
        kind=facts.kind,
        modality=facts.modality,
        shape=facts.shape,
        spacing_mm=facts.spacing_mm,
        media_type=facts.media_type,
        warnings=[notice(code) for code in facts.warnings],
        prompts=[Prompt(box=box, label=label) for label, box in enumerate(facts.boxes, 1) if box],
    )
