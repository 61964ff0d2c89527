"""The ML tier as a MONAI Application Package: one model over a folder of images, then it ends.

Paths come from HOLOSCAN_* as the specification names them
(https://github.com/Project-MONAI/monai-deploy/blob/main/guidelines/monai-application-package.md). Reads every PNG and
JPEG below the input folder; writes results.json, and beside it a heat map, or a mask, for each image that the model
knows. Images stay where they are, and what is printed names none of them. DICOM is for App's intake, which reads it in
a sandbox.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from ml_service import answers, engines
from ml_service.protocol import Inference, Tensor, Wanted
from ml_service.registry import Registry
from ml_service.serving import Answering
from ml_service.settings import Settings
from portal_wire import env
from portal_wire.errors import PortalError

KINDS = {".png", ".jpg", ".jpeg"}
PATIENCE_S = 60.0  # nobody else waits for this network
# What `extract` copies, by folder of the export mount, and the variable that says where it lies in the package.
EXPORTS = {
    "app": ("HOLOSCAN_APPLICATION", "/opt/holoscan/app"),
    "config": ("HOLOSCAN_MANIFESTS_PATH", "/etc/holoscan"),
    "models": ("HOLOSCAN_MODEL_PATH", "/opt/holoscan/models"),
    "docs": ("HOLOSCAN_DOCS_PATH", "/opt/holoscan/docs"),
}


def main(arguments: list[str]) -> int:
    """Runs, or shows, extracts or (when the image is built) describes what the package is.

    Returns the exit status: 0 only when every image was read.
    """
    verb = arguments[0] if arguments else "run"
    if verb == "show":
        for file in ("app.json", "pkg.json"):
            sys.stdout.write((_path("HOLOSCAN_MANIFESTS_PATH", "/etc/holoscan") / file).read_text(encoding="utf-8"))
        return 0
    if verb == "extract":
        return extract(_path("HOLOSCAN_EXPORT_PATH", "/var/run/holoscan/export"))
    if verb == "describe":
        return describe(_path("HOLOSCAN_MANIFESTS_PATH", "/etc/holoscan") / "pkg.json")
    if verb != "run":
        return _say("expected run, show, extract or describe.", 2)
    try:
        model = env.text("LIGHTBOX_PACKAGE_MODEL", "pneumonia")
        models = _path("HOLOSCAN_MODEL_PATH", "/opt/holoscan/models")
        source, target = (
            _path("HOLOSCAN_INPUT_PATH", "/var/holoscan/input"),
            _path("HOLOSCAN_OUTPUT_PATH", "/var/holoscan/output"),
        )
        return run(model, models, source, target)
    except PortalError as error:
        return _say(error.detail, 1)


def run(model: str, models: Path, source: Path, target: Path) -> int:
    """Answers about each image below `source`. 1 when there is none, or one of them could not be read."""
    images = sorted(path for path in source.rglob("*") if path.suffix.lower() in KINDS and path.is_file())
    if not images:
        return _say("expected PNG or JPEG images in the input folder; there is none.", 1)
    settings = Settings(service_token=None, model_dir=models, engine=env.text("LIGHTBOX_ML_ENGINE", "auto"))
    engines.settle(settings.engine, models)
    registry = Registry(settings)
    registry.load(model)
    with registry.use(model) as served:
        rows = [_row(served, image, source, target) for image in images]
        result = {"model": model, "version": served.manifest.version, "limits": served.manifest.limits, "results": rows}
    registry.unload(model)
    target.mkdir(parents=True, exist_ok=True)
    half = target / ".results.json"
    half.write_text(json.dumps(result, indent=1), encoding="utf-8")
    half.rename(target / "results.json")  # whole or not there
    failed = sum("error" in row for row in rows)
    return _say(f"{len(rows)} images, {failed} of them could not be read.", 1 if failed else 0)


def describe(manifest: Path) -> int:
    """Writes the models that are there into pkg.json, so that no list of them is kept by hand."""
    told = json.loads(manifest.read_text(encoding="utf-8"))
    names = sorted({folder.parent.parent.name for folder in _path(*EXPORTS["models"]).glob("*/*/model.json")})
    told["models"] = [{"name": name, "path": f"{told['modelRoot']}/{name}"} for name in names]
    manifest.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return 0


def extract(target: Path) -> int:
    """Copies the package to the mounted export folders; all of it when the export folder itself is mounted."""
    mounted = [name for name in EXPORTS if (target / name).is_dir()] or list(EXPORTS)
    for name in mounted:
        origin = _path(*EXPORTS[name])
        if origin.is_dir():
            shutil.copytree(origin, target / name, dirs_exist_ok=True)
    return 0


def _row(served: Answering, image: Path, source: Path, target: Path) -> dict[str, Any]:
    """One image's part of the result; an image that does not decode never looks like a normal one."""
    name = image.relative_to(source)
    study = Tensor("study", "BYTES", (1,), [image.read_bytes()])
    shown = "mask" if served.manifest.outlines else "heatmap"
    asked = Inference(None, {"study": study}, (Wanted("findings", False), Wanted(shown, False)), False, {})
    try:
        seen = answers.see(served, asked, PATIENCE_S, [])
    except PortalError as error:
        return {"input": str(name), "error": error.code, "detail": error.detail}
    (findings, _), (drawn, _) = answers.outputs(served, seen, asked)
    row: dict[str, Any] = {"input": str(name)} | json.loads(findings.data[0])
    if picture := drawn.data[0]:
        map_path = target / f"{shown}s" / name.with_name(name.name + ".png")
        map_path.parent.mkdir(parents=True, exist_ok=True)
        map_path.write_bytes(bytes(picture))
        row[shown] = str(map_path.relative_to(target))
    return row


def _path(name: str, default: str) -> Path:
    return Path(os.environ.get(name) or default)


def _say(text: str, status: int) -> int:
    sys.stderr.write(f"lightbox: {text}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
