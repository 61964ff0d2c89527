"""Without a portal: intake and model in this very process, for a researcher's own studies on a machine of their own.

It needs the tiers' packages beside it (a checkout after `make setup`). There is no sandbox here: only for files whose
origin is known.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from portal_wire.errors import PortalError

PATIENCE_S = 3600.0
SEGS = "segs.npz"
MODELS = "NPZ files need a model that is, volumes one that is not."
Files = dict[str, bytes]


@contextmanager
def outliner(model: str, npz: bool = False, fast: bool = False) -> Iterator[Callable[[Path], Files]]:
    """Gives a function from a volume's file to its outlines: {"combined_labels.nii.gz": bytes, "segmentations/…": …};
    with `npz` from an NPZ case to {"segs.npz": bytes}. `fast` is the setting of a model of volumes.

    It raises ClickException with the reason for a case that is refused.
    """
    from ml_service import engines
    from ml_service.registry import Registry
    from ml_service.served_prompts import ServedPrompts
    from ml_service.settings import SHIPPED, Settings

    settings = Settings(service_token=None)
    engines.settle(settings.engine, SHIPPED)
    registry = Registry(settings)
    try:
        registry.load(model)
        with registry.use(model, None) as served:
            if npz != isinstance(served, ServedPrompts):
                raise click.ClickException(f"{model} is {'not ' if npz else ''}asked with boxes: {MODELS}")
            yield partial(_of_boxes, served) if npz else partial(_of_volume, served, fast=fast)
    except PortalError as error:
        raise click.ClickException(error.detail) from error


def _of_volume(served: Any, file: Path, fast: bool) -> Files:
    from app_service.exports.label_table import LABELS, label_table
    from app_service.masks.structures import file_name
    from app_service.masks.volume import part
    from ml_service.protocol import Tensor

    try:
        volume = _canonical(file.read_bytes())
        mask = _mask(served, {"study": Tensor("study", "BYTES", (1,), [volume])}, {"fast": fast})
        labels = dict(enumerate(served.manifest.labels, 1))
        parted = part(mask, io.BytesIO(volume), labels)
    except PortalError as error:
        raise click.ClickException(error.detail) from error
    parts = {f"segmentations/{file_name(labels[index])}.nii.gz": data for index, data in parted.structures.items()}
    parts[LABELS] = label_table(labels)
    return parts | {"combined_labels.nii.gz": parted.combined}  # last: it says that the case is whole


def _of_boxes(served: Any, file: Path) -> Files:
    """The n-th box is label n, as in the challenge. `gts` is not read: see intake/npz.py."""
    import numpy as np

    from app_service.exports.segs import segs_of_picture, segs_of_volume
    from app_service.intake.archive import open_archive
    from app_service.intake.limits import Limits
    from app_service.intake.npz import read_npz
    from app_service.masks.picture import checked_picture
    from app_service.masks.volume import part
    from ml_service.protocol import Tensor

    try:
        facts, (study, *_) = read_npz(open_archive(file.read_bytes()), Limits())
        boxes = {label: box for label, box in enumerate(facts.boxes, 1) if box}
        if not boxes:
            raise click.ClickException("It has no boxes that lie in its imgs.")
        drawn = np.array([*boxes.values()], np.float32)
        asked = {
            "study": Tensor("study", "BYTES", (1,), [study]),
            "boxes": Tensor("boxes", "FP32", drawn.shape, drawn),
            "labels": Tensor("labels", "INT32", (len(boxes),), np.array([*boxes], np.int32)),
        }
        mask = _mask(served, asked)
        if facts.kind == "image":
            return {SEGS: segs_of_picture(checked_picture(mask, facts.shape, boxes).png)}
        return {SEGS: segs_of_volume(part(mask, io.BytesIO(study), boxes).combined)}
    except PortalError as error:
        raise click.ClickException(error.detail) from error


def _mask(served: Any, inputs: dict[str, Any], parameters: dict[str, Any] | None = None) -> bytes:
    """The label map that the model answers with. Raises PortalError, or ClickException where it does not answer."""
    from ml_service import answers
    from ml_service.protocol import Inference, Wanted

    wanted = (Wanted("findings", False), Wanted("mask", False))
    asked = Inference(None, inputs, wanted, False, parameters or {})
    seen = answers.see(served, asked, PATIENCE_S, [])
    (mask, _) = answers.outputs(served, seen, asked)[1]
    if not mask.data[0]:
        raise click.ClickException("The model does not answer about this study.")
    return bytes(mask.data[0])


def _canonical(data: bytes) -> bytes:
    """The volume as intake hands it on."""
    from app_service.intake.limits import Limits
    from app_service.intake.nifti import read_gzip
    from app_service.intake.volume import study_of

    _, (body, _) = study_of(read_gzip(data, Limits()), Limits())
    return body
