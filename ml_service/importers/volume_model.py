"""An imported network for volumes as a version that the tier serves, its card and its golden volume beside it."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ml_service import manifest as manifests
from ml_service.importers import volume_golden
from ml_service.importers.checkpoint import Array
from ml_service.importers.volume_memory import working_bytes
from ml_service.manifest import Volumetric
from ml_service.sliding_window.labels import MOST_BITS
from ml_service.sliding_window.plan import Plan
from ml_service.training import learnt
from ml_service.training.seal import seal

LIMITS = """\
Research use, not for diagnosis. This is not a medical device.
Imported by whoever runs this portal; nothing of it was measured here. What it was trained on its makers say.
A structure that the scan does not show may be outlined all the same, and one that it shows may be missing.
Where structures overlap, each voxel has one of them: the later in the list of labels."""
CT_LIMIT = "Only CT in Hounsfield units. Whatever else has air and tissue at their levels is read as a CT."


class Imported(NamedTuple):
    """A network with its weights."""

    architecture: str  # for architectures.build
    params: dict[str, Any]
    labels: tuple[str, ...]  # in the order of the outputs; with softmax the first stands for none
    plan: Plan
    weights: dict[str, Array]  # by path in the network
    clean_up: bool = False  # by SuPreM's rules
    modality: str = "CT"


def save(model: Imported, title: str, folder: Path) -> Volumetric:
    """Writes a version's folder, `folder` being <models>/<name>/<version>, and returns its manifest.

    Raises FileExistsError rather than overwrite another's, and ValueError for a network that the tier cannot serve.
    What is broken off leaves nothing behind.
    """
    labels = outlined(model)
    folder.mkdir(parents=True)
    try:
        return _written(model, title, labels, folder)
    except BaseException:
        shutil.rmtree(folder)
        raise


def _written(model: Imported, title: str, labels: tuple[str, ...], folder: Path) -> Volumetric:
    np.savez(folder / manifests.WEIGHTS, **model.weights)  # type: ignore[arg-type]
    draft = Volumetric(
        name=folder.parent.name,
        version=folder.name,
        title=title,
        subject=f"a {model.modality} volume",
        task="volume",
        modalities=(model.modality,),
        labels=labels,
        architecture=model.architecture,  # type: ignore[arg-type]  # pydantic refuses another
        params=model.params,
        parameters=learnt.parameters(folder),
        plan=model.plan,
        clean_up=model.clean_up,
        working_bytes=working_bytes(model.architecture, model.params, model.plan, len(model.labels)),
        limits=(*LIMITS.splitlines(), *([CT_LIMIT] if model.modality == "CT" else [])),
        trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
        training={"imported": True},
        golden=learnt.NO_GOLDEN,
        files={},
    )
    (folder / manifests.METRICS).write_text("{}\n", encoding="utf-8")
    (folder / manifests.CARD).write_text(card(draft), encoding="utf-8")
    return seal(folder, draft.model_copy(update={"golden": volume_golden.made(draft, folder)}))


def outlined(model: Imported) -> tuple[str, ...]:
    """Returns the structures' names. Raises ValueError for a network that the tier cannot serve."""
    labels = model.labels[1:] if model.plan.activation == "softmax" else model.labels
    most = 255 if model.plan.activation == "softmax" else MOST_BITS
    if not 0 < len(labels) <= most or len({label.strip() for label in labels} - {""}) < len(labels):
        raise ValueError(f"Expected 1 to {most} structures, each with a name of its own. Received: {len(labels)}")
    if model.params.get("channels", 1) != 1:
        raise ValueError(f"Expected a network that reads one channel. Received: {model.params['channels']}")
    return labels


def card(manifest: Volumetric) -> str:
    """Returns the card in Markdown."""
    plan = manifest.plan
    spacing = "as they are" if plan.spacing_mm is None else f"{' x '.join(f'{mm:g}' for mm in plan.spacing_mm)} mm"
    rows = {
        "network": f"{manifest.architecture}, {manifest.parameters / 1e6:.2f} million parameters",
        "axes and spacing of voxels": f"{plan.axes}, {spacing}",
        "levels that become 0 and 1": f"{plan.levels[0]:g} and {plan.levels[1]:g}",
        "window": f"{' x '.join(map(str, plan.size))} voxels, gaussian weights",
        "overlap of windows": f"{plan.overlap:.0%}, fast setting {plan.fast_overlap:.0%}",
        "answer": "one structure a voxel" if plan.activation == "softmax" else "yes or no for each structure",
        "clean-up": "largest pieces, by SuPreM's rules" if manifest.clean_up else "none",
        "memory beside the weights": f"about {manifest.working_bytes / 2**30:.1f} GiB for a scan of 40 x 40 x 45 cm",
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    limits = "\n".join(f"- {limit}" for limit in manifest.limits)
    return f"# {manifest.title}\n\n## Limits\n\n{limits}\n\n## How it reads\n\n| | |\n|---|---|\n{table}\n"
