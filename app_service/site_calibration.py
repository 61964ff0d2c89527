"""Fit a version to this site from a labelled folder: `python -m app_service.site_calibration --model M --folder DIR`.

The folder has one subfolder a class, or a labels.csv (path, label, and patient_key where there is one). Its images go
through intake and the ML tier as uploads do, and nothing of them is kept. Needs App's environment and a portal that
runs. Without --use the fit waits on the model's page, where an administrator looks at it first.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from app_service import ml_client, site_fits
from app_service.accounts import audit
from app_service.domain.site import Case, classes_of
from app_service.intake.examine import examine
from app_service.labelled_folder import Labelled, read
from app_service.parts import Parts, open_parts
from app_service.settings import Settings
from app_service.site_fits import Gathered
from app_service.storage.database import writing
from app_service.storage.site_calibrations import add_fit, put_in_force
from portal_wire.contract import Model
from portal_wire.errors import BadRequest, NotFound, PortalError, Unprocessable, UnsupportedMedia

_AT_ONCE = 4  # images
_UNREADABLE = (BadRequest, Unprocessable, UnsupportedMedia)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, fit, and print what the fit is worth."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--version", help="the one that answers now unless given")
    parser.add_argument("--folder", required=True, type=Path)
    parser.add_argument("--use", action="store_true", help="put the fit in force at once")
    given = parser.parse_args(arguments)
    parts = open_parts(Settings.from_environment())
    try:
        made = calibrate(parts, given.model, given.version, given.folder, given.use)
    except (PortalError, ValueError) as error:
        parser.exit(1, f"{getattr(error, 'detail', error)}\n")
    json.dump(made, sys.stdout, indent=1)
    sys.stdout.write("\n")


def calibrate(parts: Parts, name: str, version: str | None, folder: Path, use: bool) -> dict[str, Any]:
    """Fit and store. Returns the fit's id, calibration and evidence; raises ValueError and PortalErrors."""
    model = parts.models.one(name)
    version = version or model.active_version
    if all(known.version != version for known in model.versions):
        raise NotFound("There is no such version of this model.")
    gathered = gather(parts, model, version, read(folder, classes_of(model)))
    fit = site_fits.fit(parts.ml, name, version, gathered)
    with writing(parts.engine) as connection:
        fit_id = add_fit(connection, name, version, "folder", fit, None)
        audit.record(connection, "fit_calibration", None, f"{name}/{version}")
        if use and put_in_force(connection, name, version, fit_id):
            audit.record(connection, "use_calibration", None, fit_id)
    return {"id": fit_id, "model": name, "version": version, "in_force": use} | fit


def gather(parts: Parts, model: Model, version: str, images: Sequence[Labelled]) -> Gathered:
    """What the network gives for each image; refused and unreadable ones are counted."""
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(_AT_ONCE) as pool:
        score = partial(_score, parts, model.name, version, Path(scratch))
        found = list(pool.map(score, range(len(images)), images))
    cases = [case for case in found if isinstance(case, Case)]
    return Gathered(cases, dict(Counter(reason for reason in found if isinstance(reason, str))))


def _score(parts: Parts, model: str, version: str, scratch: Path, number: int, image: Labelled) -> Case | str:
    original, canonical = scratch / f"{number}", scratch / f"{number}-image"
    try:
        shutil.copyfile(image.path, original)
        examine(original, canonical, parts.settings.intake)
        said = ml_client.infer(parts.ml, model, version, canonical.read_bytes(), ("findings",)).findings
    except (*_UNREADABLE, FileNotFoundError, IsADirectoryError):
        return "unreadable"
    finally:
        original.unlink(missing_ok=True)
        canonical.unlink(missing_ok=True)
    return Case(said["logits"], image.number, image.patient) if said["logits"] is not None else "refused"


if __name__ == "__main__":
    main()
