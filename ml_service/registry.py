"""The models on disk and those in memory. A version answers only after it passed its checks (`checks.py`).

Several versions of a model may be in memory at once. Each request holds its version while it runs: whatever is to
leave memory takes no new request, answers those that it has, and only then is closed.
"""

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ml_service import manifest as manifests
from ml_service.checks import Unfit, open_version
from ml_service.manifest import Described, Volumetric
from ml_service.metrics import LOADED, LOADS, MEMORY, UNFIT
from ml_service.prompts.studies import Studies
from ml_service.serving import Answering
from ml_service.settings import Settings
from portal_wire.errors import NotFound, Unavailable

_LOG = logging.getLogger("lightbox.ml")
MIB = 2**20
# A network in memory beside its weights: compiled code, and the activations of the largest batch. The classifiers that
# ship have 26 to 91 MB of it on OpenVINO.
FIXED_BYTES = 92 * MIB
COPIES = 2  # of the weights: the network's own and the engine's

Key = tuple[str, str]  # name, version


@dataclass
class Loaded:
    """A version in memory."""

    served: Answering
    size_bytes: int
    users: int = 0  # requests that hold it
    used_at: float = field(default_factory=time.monotonic)


class Registry:
    """Versions by model name. One load or unload at a time; requests go on meanwhile."""

    def __init__(self, settings: Settings, look_further: Callable[[], None] | None = None) -> None:
        """`look_further` is called for what is not on disk, and may bring it there."""
        self.settings, self._look_further = settings, look_further
        self._studies = Studies(settings.studies_mb * MIB)
        self._loaded: dict[Key, Loaded] = {}
        self._passed: set[Key] = set()  # its checks, in this process; it may leave memory and come back
        self._faults: dict[Key, str] = {}
        self._withheld: set[Key] = set()  # unloaded by request: comes back only by request
        self._loading = threading.Lock()
        self._changed = threading.Condition()  # guards the above and wakes who waits for the last user

    def on_disk(self) -> list[Key]:
        """Returns every (name, version) that has a model.json, versions in rising order."""
        found = [path.parent for path in self.settings.model_dir.glob(f"*/*/{manifests.FILE}")]
        return sorted(((f.parent.name, f.name) for f in found), key=lambda v: (v[0], _number(v[1])))

    def first(self) -> list[str]:
        """Returns the models that the tier's readiness waits for: those of the settings, or all if none is there."""
        names = list(dict.fromkeys(name for name, _ in self.on_disk()))
        return [name for name in names if name in self.settings.first] or names

    def versions(self, name: str) -> list[str]:
        """Returns a model's versions in rising order. Raises NotFound."""
        versions = [version for model, version in self.on_disk() if model == name]
        if not versions:
            raise NotFound("There is no such model.", code="unknown_model")
        return versions

    def newest(self, name: str) -> str:
        """Returns the highest version number of a model, fit or not. Raises NotFound."""
        return self.versions(name)[-1]

    def default(self, name: str) -> str:
        """Returns the version for requests that name none: the newest that answers, else the newest there is.

        Raises NotFound. Looks at the disk only when none answers, so it costs a request next to nothing.
        """
        passed = [version for model, version in tuple(self._passed) if model == name and not self.fault(name, version)]
        return max(passed, key=_number) if passed else self.newest(name)

    def load_all(self) -> None:
        """Loads the newest version of every model; where it is not fit, the newest that is. The first models come
        first: the tier is ready while the others still load."""
        first, names = self.first(), dict.fromkeys(name for name, _ in self.on_disk())
        for name in [*first, *(name for name in names if name not in first)]:
            for version in reversed(self.versions(name)):
                self._withheld.discard((name, version))
                self._load((name, version))
                if self.state(name, version) is None:
                    break
        _set_aside()

    def load(self, name: str, version: str | None = None) -> None:
        """Loads a version (the newest by default). A fault is kept, logged and shown, not raised."""
        key = (name, version or self.newest(name))
        self._withheld.discard(key)
        self._load(key)
        _set_aside()

    def unload(self, name: str, version: str | None = None) -> None:
        """Takes a version, or every version of a model, out of service; returns when its last request is answered.

        It stays out until it is loaded by request. Raises NotFound.
        """
        versions = self.versions(name)
        if version is not None and version not in versions:
            raise NotFound("There is no such version of this model.", code="unknown_model")
        with self._loading:
            for key in [(name, each) for each in versions if version in (None, each)]:
                self._withheld.add(key)
                self._take_out(key)
        _set_aside()

    @contextmanager
    def use(self, name: str, version: str | None = None) -> Iterator[Answering]:
        """Gives a version (the default one unless named) and keeps it in memory until the block ends.

        It is loaded when it is not in memory. Raises NotFound, or Unavailable when it may not or cannot answer.
        """
        key = (name, version or self.default(name))
        loaded = self._hold(key) or self._bring(key)
        try:
            yield loaded.served
        finally:
            with self._changed:
                loaded.users -= 1
                loaded.used_at = time.monotonic()
                self._changed.notify_all()

    def require(self, name: str, version: str | None = None) -> None:
        """Raises NotFound or Unavailable unless the version (the default one unless named) would answer."""
        key = (name, version or self.default(name))
        fault = None if key in self._loaded else self.state(*key)
        if key not in self._loaded and key not in self.on_disk():
            raise NotFound("There is no such model or version.", code="unknown_model")
        if fault:
            raise Unavailable(f"This model is not ready: {fault}.", code="model_not_ready", retry_after_s=2)

    def state(self, name: str, version: str) -> str | None:
        """Returns None when the version has passed its checks and answers, else why it does not."""
        key = (name, version)
        return self.fault(name, version) or (None if key in self._passed else "not loaded yet")

    def fault(self, name: str, version: str) -> str | None:
        """Returns why a request for this version would be refused; None too for one whose checks are yet to come."""
        key = (name, version)
        if key in self._loaded:
            return None
        return "unloaded" if key in self._withheld else self._faults.get(key)

    def in_memory(self) -> list[Key]:
        """Returns what is in memory, the least recently used first."""
        return sorted(self._loaded, key=lambda key: self._loaded[key].used_at)

    def readiness(self) -> dict[str, str | None]:
        """Returns the state of each first model's default version; a tier without a model is not ready."""
        defaults = {name: self.default(name) for name in self.first()}
        states = {f"{name}/{version}": self.state(name, version) for name, version in defaults.items()}
        return states or {"models": "there is no model in the model directory"}

    def _load(self, key: Key) -> None:
        with self._loading:
            if key in self._loaded or key in self._withheld:
                return
            try:
                self._open(key)
            except Exception as error:  # a broken version must not take the others down
                # Only our own words: another library's may carry a path.
                fault = str(error) if isinstance(error, Unfit) else f"cannot be read ({type(error).__name__})"
                self._faults[key] = fault
                self._passed.discard(key)
                LOADED.labels(*key).set(0)
                UNFIT.labels(*key).set(1)
                LOADS.labels(*key, "refused").inc()
                _LOG.error("model not loaded", extra={"facts": {"model": key[0], "version": key[1], "fault": fault}})

    def _hold(self, key: Key) -> Loaded | None:
        with self._changed:
            loaded = self._loaded.get(key)
            if loaded is not None:
                loaded.users += 1
                loaded.used_at = time.monotonic()
            return loaded

    def _bring(self, key: Key) -> Loaded:
        """Loads what is on disk and was neither unloaded by request nor found unfit, and holds it."""
        if key in self._withheld or key in self._faults:
            self.require(*key)
        if key not in self.on_disk() and self._look_further:
            self._look_further()  # it was just activated, and this host has not looked for new ones since
        if key not in self.on_disk():
            raise NotFound("There is no such model or version.", code="unknown_model")
        until = time.monotonic() + self.settings.deadline_s
        while time.monotonic() < until:
            self._load(key)
            if loaded := self._hold(key):
                _set_aside()
                return loaded
            self.require(*key)  # unfit, or unloaded by request meanwhile
        raise Unavailable("There is no room for this model at the moment.", code="no_room", retry_after_s=5)

    def _open(self, key: Key) -> None:
        folder = self.settings.model_dir / key[0] / key[1]
        size_bytes = memory_bytes(manifests.read_any(folder))
        self._make_room(size_bytes)
        served = open_version(folder, self.settings, self._studies)
        with self._changed:
            self._loaded[key] = Loaded(served, size_bytes)
        self._passed.add(key)
        self._faults.pop(key, None)
        LOADED.labels(*key).set(1)
        UNFIT.labels(*key).set(0)
        LOADS.labels(*key, "loaded").inc()
        self._measure()

    def _make_room(self, size_bytes: int) -> None:
        """Takes versions out of memory, the least recently used first and those at work last: a volume may take hours.
        Raises Unfit for one that fits by no means."""
        budget = self.settings.memory_mb * MIB
        if not budget:
            return
        if size_bytes > budget:
            raise Unfit(f"it needs about {size_bytes // MIB} MB of memory, and all models may take {budget // MIB}")
        while sum(loaded.size_bytes for loaded in self._loaded.values()) + size_bytes > budget:
            self._take_out(min(self.in_memory(), key=lambda key: self._loaded[key].users > 0))

    def _take_out(self, key: Key) -> None:
        """Gives the version no new request, waits for those that it has, and closes it."""
        with self._changed:
            loaded = self._loaded.pop(key, None)
            if loaded is None:
                return
            LOADED.labels(*key).set(0)
            self._changed.wait_for(lambda: loaded.users == 0)
        loaded.served.close()
        LOADS.labels(*key, "unloaded").inc()
        self._measure()

    def _measure(self) -> None:
        MEMORY.set(sum(loaded.size_bytes for loaded in self._loaded.values()))


def _set_aside() -> None:
    """Drops what hangs together in circles of what has left memory, and keeps what stays out of every later collection:
    hundreds of thousands of objects, of networks and of the libraries that made them. To look through them again and
    again took a sixteenth of the processor time of a film with findings."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def memory_bytes(manifest: Described) -> int:
    """Returns about how much memory a version takes, from what its manifest says."""
    working = manifest.working_bytes if isinstance(manifest, Volumetric) else 0
    return COPIES * 4 * manifest.parameters + FIXED_BYTES + working


def _number(version: str) -> tuple[int, str]:
    return (int(version) if version.isdigit() else -1, version)
