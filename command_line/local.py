"""Without a portal: intake and model in this very process, for a researcher's own volumes on a machine of their own.

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


@contextmanager
def outliner(model: str) -> Iterator[Callable[[Path], dict[str, bytes]]]:
    """Gives a function from a volume's file to its outlines: {"combined_labels.nii.gz": bytes, "segmentations/…": …}.

    It raises ClickException with the reason for a volume that is refused.
    """
    from ml_service import engines
    from ml_service.registry import Registry
    from ml_service.settings import SHIPPED, Settings

    settings = Settings(service_token=None)
    engines.settle(settings.engine, SHIPPED)
    registry = Registry(settings)
    try:
        registry.load(model)
        with registry.use(model, None) as served:
            yield partial(_outlined, served)
    except PortalError as error:
        raise click.ClickException(error.detail) from error


def _outlined(served: Any, file: Path) -> dict[str, bytes]:
    from app_service.masks.structures import file_name
    from app_service.masks.volume import part
    from ml_service import answers
    from ml_service.protocol import Inference, Tensor, Wanted

    try:
        volume = _canonical(file.read_bytes())
        wanted = (Wanted("findings", False), Wanted("mask", False))
        asked = Inference(None, {"study": Tensor("study", "BYTES", (1,), [volume])}, wanted, False, {})
        seen = answers.see(served, asked, PATIENCE_S, [])
        (mask, _) = answers.outputs(served, seen, asked)[1]
        labels = dict(enumerate(served.manifest.labels, 1))
        if not mask.data[0]:
            raise click.ClickException("The model does not answer about this volume.")
        parted = part(bytes(mask.data[0]), io.BytesIO(volume), labels)
    except PortalError as error:
        raise click.ClickException(error.detail) from error
    parts = {f"segmentations/{file_name(labels[index])}.nii.gz": data for index, data in parted.structures.items()}
    return parts | {"combined_labels.nii.gz": parted.combined}  # last: it says that the case is whole


def _canonical(data: bytes) -> bytes:
    """The volume as intake hands it on."""
    from app_service.intake.limits import Limits
    from app_service.intake.nifti import read_gzip
    from app_service.intake.volume import study_of

    _, (body, _) = study_of(read_gzip(data, Limits()), Limits())
    return body
