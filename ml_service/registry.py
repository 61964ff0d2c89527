"""The models on disk, checked before they may answer: every file's hash, then the golden images.

A version that fails a check is not ready and says why; it never answers.
"""

import hashlib
import logging
import threading
from pathlib import Path

from ml_service import manifest as manifests
from ml_service.manifest import Manifest
from ml_service.metrics import LOADED
from ml_service.served import Served
from ml_service.settings import Settings
from portal_wire.errors import NotFound, Unavailable

_LOG = logging.getLogger("lightbox.ml")


class Registry:
    """Versions by model name. Loading runs in a thread of its own; answering needs no lock."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._served: dict[tuple[str, str], Served] = {}
        self._faults: dict[tuple[str, str], str] = {}
        self._loading = threading.Lock()

    def on_disk(self) -> list[tuple[str, str]]:
        """Returns every (name, version) that has a model.json, versions in rising order."""
        found = [path.parent for path in self.settings.model_dir.glob(f"*/*/{manifests.FILE}")]
        return sorted(((f.parent.name, f.name) for f in found), key=lambda v: (v[0], _number(v[1])))

    def load_all(self) -> None:
        """Loads the newest version of every model."""
        for name, version in dict(self.on_disk()).items():
            self.load(name, version)

    def load(self, name: str, version: str | None = None) -> None:
        """Loads a version (the newest by default). A fault is kept, logged and shown, not raised."""
        version = version or self.newest(name)
        key = (name, version)
        with self._loading:
            if key in self._served:
                return
            try:
                self._served[key] = open_version(self.settings.model_dir / name / version, self.settings)
                self._faults.pop(key, None)
                LOADED.labels(*key).set(1)
            except Exception as error:  # a broken version must not take the others down
                # Only our own words: another library's may carry a path.
                fault = str(error) if isinstance(error, Unfit) else f"cannot be read ({type(error).__name__})"
                self._faults[key] = fault
                LOADED.labels(*key).set(0)
                facts = {"model": name, "version": version, "fault": fault}
                _LOG.error("model not loaded", extra={"facts": facts})

    def unload(self, name: str) -> None:
        """Takes every version of a model out of service."""
        for key in [key for key in self._served if key[0] == name]:
            LOADED.labels(*key).set(0)
            self._served.pop(key).close()

    def get(self, name: str, version: str | None = None) -> Served:
        """Returns the version (the newest by default). Raises NotFound, or Unavailable while it is not ready."""
        key = (name, version or self.newest(name))
        if key in self._served:
            return self._served[key]
        if key not in self.on_disk():
            raise NotFound("There is no such model or version.", code="unknown_model")
        raise Unavailable(f"This model is not ready: {self.state(*key)}.", code="model_not_ready", retry_after_s=2)

    def newest(self, name: str) -> str:
        """Returns the highest version number of a model. Raises NotFound."""
        versions = [version for model, version in self.on_disk() if model == name]
        if not versions:
            raise NotFound("There is no such model.", code="unknown_model")
        return versions[-1]

    def state(self, name: str, version: str) -> str | None:
        """Returns None when the version answers, else why it does not."""
        key = (name, version)
        return None if key in self._served else self._faults.get(key, "not loaded")

    def readiness(self) -> dict[str, str | None]:
        """Returns each model's newest version's state; a tier without a model is not ready."""
        newest = dict(self.on_disk())
        states = {f"{name}/{version}": self.state(name, version) for name, version in newest.items()}
        return states or {"models": "there is no model in the model directory"}


class Unfit(ValueError):
    """A version's files are not what its manifest says, or it does not say what it said when it was made."""


def open_version(folder: Path, settings: Settings) -> Served:
    """Returns a checked, warm version. Raises Unfit, or what reading it raised."""
    manifest = manifests.read(folder)
    check_files(folder, manifest)
    served = Served(manifest, folder, settings)
    if served.task.LABELS != manifest.labels or served.task.NEGATIVE_LABEL != manifest.negative_label:
        served.close()
        raise Unfit("the labels are not the task's, in its order")
    try:
        check_golden(served)
    except Unfit:
        served.close()
        raise
    return served


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raises Unfit unless the folder holds exactly the listed files with the listed SHA-256."""
    paths = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - {manifests.FILE}
    if paths != set(manifest.files):
        raise Unfit(f"{len(paths ^ set(manifest.files))} files are missing or unlisted")
    for path, expected in manifest.files.items():
        if hashlib.sha256((folder / path).read_bytes()).hexdigest() != expected:
            raise Unfit(f"{path} is not the file that was released")


def check_golden(served: Served) -> None:
    """Raises Unfit unless every golden image gets the answer that it got when the version was made."""
    golden = served.manifest.golden
    for case in golden.cases:
        seen = served.see_study((served.folder / manifests.GOLDEN / case.file).read_bytes(), wait_s=60)
        verdict = seen.verdicts[0]
        came = verdict.findings[0].probability if verdict.findings else None
        if verdict.label != case.label or not _close(came, case.probability, golden.tolerance):
            raise Unfit(f"golden image {case.file} got another answer than when this version was made")
        if abs(verdict.ood_score - case.ood_score) > golden.tolerance * 10 * max(1.0, case.ood_score):
            raise Unfit(f"golden image {case.file} got another distance than when this version was made")


def _close(came: float | None, expected: float | None, tolerance: float) -> bool:
    if came is None or expected is None:
        return came is expected
    return abs(came - expected) <= tolerance


def _number(version: str) -> tuple[int, str]:
    return (int(version) if version.isdigit() else -1, version)
