"""An imported promptable network as a version that the tier serves beside the one that ships."""

from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np

from ml_service import manifest as manifests
from ml_service.importers.checkpoint import Array
from ml_service.manifest import Golden, Prompted
from ml_service.prompts.networks import PromptNetwork
from ml_service.tasks import box_prompt
from ml_service.training import learnt
from ml_service.training.prompts import golden
from ml_service.training.prompts.facts import ABOUT
from ml_service.training.seal import seal

LIMITS = """\
Research use, not for diagnosis. This is not a medical device.
Imported by whoever runs this portal; nothing of it was measured here. What it was trained on its makers say.
It outlines whatever has an edge inside a box, and cannot say that there is nothing. Look at every outline.
Colours are read as grey."""


def save(architecture: str, title: str, weights: dict[str, Array], folder: Path) -> Prompted:
    """Writes a version's folder, `folder` being <models>/<name>/<version>, and returns its manifest."""
    folder.mkdir(parents=True)
    np.savez(folder / manifests.WEIGHTS, **weights)  # type: ignore[arg-type]
    limits = tuple(LIMITS.splitlines())
    draft = Prompted(
        name=folder.parent.name,
        version=folder.name,
        title=title,
        subject=ABOUT.subject,
        task="box-prompt",
        kind="any",
        modalities=ABOUT.modalities,
        labels=box_prompt.LABELS,
        negative_label=box_prompt.NEGATIVE_LABEL,
        architecture=architecture,  # type: ignore[arg-type]  # pydantic refuses another
        params={},
        parameters=learnt.parameters(folder),
        limits=limits,
        trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
        training={"imported": True},
        golden=learnt.NO_GOLDEN,
        files={},
    )
    (folder / manifests.GOLDEN).mkdir()
    path = folder / manifests.GOLDEN / "drawn.png"
    path.write_bytes(cv2.imencode(".png", golden.drawn())[1].tobytes())
    case = golden.case(PromptNetwork(draft, folder), path, golden.BOXES[path.name])
    (folder / manifests.METRICS).write_text("{}\n", encoding="utf-8")
    told = "\n".join(f"- {limit}" for limit in limits)
    (folder / manifests.CARD).write_text(f"# {title}\n\n## Limits\n\n{told}\n", encoding="utf-8")
    return seal(folder, draft.model_copy(update={"golden": Golden(tolerance=golden.TOLERANCE, cases=(case,))}))
