"""What a version must pass before it may answer: every file's hash, then the golden images."""

import hashlib
from pathlib import Path

import numpy as np

from ml_service import manifest as manifests
from ml_service.label_maps import Outlined
from ml_service.manifest import Described, GoldenCase, Prompted, Rules, Volumetric
from ml_service.prompts.boxes import Prompt
from ml_service.prompts.studies import Studies
from ml_service.served import Seen, Served
from ml_service.served_prompts import MIB, ServedPrompts
from ml_service.served_rules import ServedRules
from ml_service.served_volume import ServedVolume
from ml_service.serving import Answering
from ml_service.settings import Settings


class Unfit(ValueError):
    """A version's files are not what its manifest says, or it does not say what it said when it was made."""


def open_version(folder: Path, settings: Settings, studies: Studies | None = None) -> Answering:
    """Returns a checked, warm version, which shares `studies` with others. Raises Unfit, or what reading it raised."""
    manifest = manifests.read_any(folder)
    if (manifest.name, manifest.version) != (folder.parent.name, folder.name):
        raise Unfit("model.json names another model or version than its folder does")
    check_files(folder, manifest)
    served: Answering
    studies = studies or Studies(settings.studies_mb * MIB)
    if isinstance(manifest, Rules):
        served = ServedRules(manifest, folder, studies)
    elif isinstance(manifest, Prompted):
        served = ServedPrompts(manifest, folder, settings, studies)
    elif isinstance(manifest, Volumetric):
        served = ServedVolume(manifest, folder, settings.threads)
    else:
        served = Served(manifest, folder, settings)
    if not _labelled(served):
        served.close()
        raise Unfit("the labels are not the task's, in its order")
    try:
        with served.meter.silent():
            check_golden(served)
    except Exception:
        served.close()
        raise
    return served


def _labelled(served: Answering) -> bool:
    """Whether the labels are those of the task, or, of a network that brings its own, as many as it tells apart."""
    if isinstance(served, ServedVolume):
        return served.manifest.outputs == served.network.outputs
    return (served.task.LABELS, served.task.NEGATIVE_LABEL) == (served.manifest.labels, served.manifest.negative_label)


def check_files(folder: Path, manifest: Described) -> None:
    """Raises Unfit unless the folder holds exactly the listed files with the listed SHA-256."""
    paths = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - {manifests.FILE}
    if paths != set(manifest.files):
        raise Unfit(f"{len(paths ^ set(manifest.files))} files are missing or unlisted")
    for path, expected in manifest.files.items():
        if hashlib.sha256((folder / path).read_bytes()).hexdigest() != expected:
            raise Unfit(f"{path} is not the file that was released")


def check_golden(served: Answering) -> None:
    """Raises Unfit unless every golden image gets the answer that it got when the version was made."""
    golden = served.manifest.golden
    for case in golden.cases:
        seen = _seen(served, case)
        verdict = seen.verdicts[0]
        came = verdict.findings[0].probability if verdict.findings else None
        if verdict.label != case.label or not _close(came, case.probability, golden.tolerance):
            raise Unfit(f"golden image {case.file} got another answer than when this version was made")
        if abs(verdict.ood_score - case.ood_score) > golden.tolerance * 10 * max(1.0, case.ood_score):
            raise Unfit(f"golden image {case.file} got another distance than when this version was made")
        if case.logits and not np.allclose(
            seen.logits[0], case.logits, rtol=golden.tolerance * 10, atol=golden.logit_tolerance
        ):
            raise Unfit(f"golden image {case.file} got other logits than when this version was made")
        if case.shares is not None and not _alike(seen.outlined, case.shares, golden.tolerance):
            raise Unfit(f"golden image {case.file} got another mask than when this version was made")


def _seen(served: Answering, case: GoldenCase) -> Seen:
    study = (served.folder / manifests.GOLDEN / case.file).read_bytes()
    if not isinstance(served, ServedPrompts):
        return served.see_study(study, wait_s=60)
    prompts = [Prompt(box, 0, 0, number, False) for number, box in enumerate(case.boxes or (), start=1)]
    return served.see_boxes(study, None, prompts, axes=2, wait_s=60)


def _alike(outlined: Outlined | None, shares: tuple[float, ...], tolerance: float) -> bool:
    came = [row["share"] for row in outlined.measurements] if outlined else []
    return len(came) == len(shares) and np.allclose(came, shares, rtol=0, atol=tolerance)


def _close(came: float | None, expected: float | None, tolerance: float) -> bool:
    if came is None or expected is None:
        return came is expected
    return abs(came - expected) <= tolerance
