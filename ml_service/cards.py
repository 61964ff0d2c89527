"""Everything that a person would read about a model, for the pages that show it."""

import hashlib
import json
from pathlib import Path
from typing import Any

from ml_service import manifest as manifests
from ml_service.manifest import Prompted, Rules, Told, Volumetric
from ml_service.registry import Registry
from portal_wire.contract import Model, ModelVersion
from portal_wire.errors import NotFound, Unavailable


def card(registry: Registry, name: str, version: str | None = None) -> Model:
    """Returns a model with all its versions, or with the one asked for. Raises NotFound."""
    default = registry.default(name)
    wanted = [v for n, v in registry.on_disk() if n == name and version in (None, v)]
    if not wanted:
        raise NotFound("There is no such version of this model.", code="unknown_model")
    folders = {v: registry.settings.model_dir / name / v for v in wanted}
    found = {v: manifest for v, folder in folders.items() if (manifest := _manifest(folder))}
    if (newest := found.get(version or default)) is None:
        raise Unavailable("This model's description cannot be read.", code="model_not_ready")
    return Model(
        name=name,
        title=newest.title,
        task=newest.task,
        kind=newest.kind,
        prompted=isinstance(newest, Prompted),
        fast=isinstance(newest, Volumetric),
        modalities=list(newest.modalities),
        labels=list(newest.labels),
        negative_label=newest.negative_label,
        active_version=default,
        limits=list(newest.limits),
        versions=[_version(manifest, folders[v], registry.fault(name, v)) for v, manifest in found.items()],
    )


def plot(registry: Registry, name: str, version: str, file: str) -> bytes:
    """Returns one PNG beside a version's card. Raises NotFound for a name that its manifest does not list."""
    if (name, version) in registry.on_disk():
        folder = registry.settings.model_dir / name / version
        if f"{manifests.PLOTS}/{file}" in manifests.read_any(folder).files:
            return (folder / manifests.PLOTS / file).read_bytes()
    raise NotFound("There is no such plot.")


def network(registry: Registry, name: str, version: str) -> dict[str, Any]:
    """Returns a version's network as a table (`describe`). Raises NotFound, also where there is no network."""
    from ml_service.describe import describe  # not before the tier has chosen Keras's backend

    if (name, version) in registry.on_disk():
        manifest = manifests.read_any(registry.settings.model_dir / name / version)
        if isinstance(manifest, Rules):
            raise NotFound("This version works by fixed rules. It has no network.", code="no_network")
        return describe(manifest)
    raise NotFound("There is no such version of this model.", code="unknown_model")


def _manifest(folder: Path) -> Told | None:
    """Returns None for one that cannot be read: the registry says so, and the other versions are still shown."""
    try:
        return manifests.read_any(folder)
    except (ValueError, OSError):
        return None


def _version(manifest: Told, folder: Path, not_ready: str | None) -> ModelVersion:
    plots = sorted(Path(file).name for file in manifest.files if file.startswith(f"{manifests.PLOTS}/"))
    return ModelVersion(
        version=manifest.version,
        not_ready=not_ready,
        architecture=manifest.architecture,
        parameters=manifest.parameters,
        weights_bytes=None if isinstance(manifest, Rules) else (folder / manifests.WEIGHTS).stat().st_size,
        sha256=hashlib.sha256((folder / manifests.FILE).read_bytes()).hexdigest(),
        trained_at=manifest.trained_at,
        metrics=json.loads((folder / manifests.METRICS).read_text(encoding="utf-8")),
        card=(folder / manifests.CARD).read_text(encoding="utf-8"),
        plots=plots,
    )
