"""A model directory in S3: its versions are copied into the local one, each whole or not at all.

A released version never changes, so one that is here is never fetched again; and none is taken away, because a model is
taken out of use by an administrator, not by a deleted file. What comes is checked against its hashes when it is loaded.
Credentials and region come from the AWS_* variables or the machine's role.
"""

import logging
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from ml_service import manifest as manifests
from portal_wire import env

if TYPE_CHECKING:  # obstore has these names for type checkers only
    from obstore.store import S3Config

_LOG = logging.getLogger("lightbox.ml")
EVERY_S = 60.0
AT_MOST_EVERY_S = 5.0  # however often a version is asked for that is nowhere
_NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]*"  # no part of a path begins with a dot
_FILE = re.compile(rf"({_NAME})/({_NAME})/({_NAME}(?:/{_NAME})*)")

Version = tuple[str, str]


class ModelStore:
    """The S3 folder at `url`, s3://bucket/prefix, and the local folder that its versions go to."""

    def __init__(self, url: str, folder: Path) -> None:
        address, endpoint = urlsplit(url), env.text("LIGHTBOX_S3_ENDPOINT", "")
        config: S3Config = {"endpoint": endpoint, "virtual_hosted_style_request": False} if endpoint else {}
        self._store = S3Store(
            address.netloc,
            prefix=address.path.strip("/") or None,
            config=config,
            client_options={"allow_http": endpoint.startswith("http:"), "connect_timeout": "2s", "timeout": "60s"},
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
        )
        self._folder = folder
        self._looking = threading.Lock()
        self._looked_at: float | None = None

    def fetch(self) -> list[Version]:
        """Copies the versions that are not here yet and returns them. While S3 is away, what is here serves on."""
        came = []
        try:
            for (name, version), files in self._there().items():
                if manifests.FILE in files and not (self._folder / name / version).exists():
                    self._copy(name, version, files)
                    came.append((name, version))
        except (BaseError, OSError) as error:
            _LOG.warning("model_store_away", extra={"facts": {"error": type(error).__name__}})
        return came

    def look(self) -> None:
        """For a version that was asked for and is not here: fetches, unless that was done just now."""
        with self._looking:
            if self._looked_at is None or time.monotonic() - self._looked_at >= AT_MOST_EVERY_S:
                self.fetch()
                self._looked_at = time.monotonic()

    def keep_fetching(self) -> None:
        """Looks for new versions once a minute. Nothing is loaded by that: somebody has to ask for a version."""
        threading.Thread(target=self._watch, name="model-store", daemon=True).start()

    def _watch(self) -> None:
        never = threading.Event()
        while not never.wait(EVERY_S):
            self.fetch()

    def _there(self) -> dict[Version, list[str]]:
        found: dict[Version, list[str]] = {}
        for path in self._paths():
            if match := _FILE.fullmatch(path):
                name, version, file = match.groups()
                found.setdefault((name, version), []).append(file)
        return found

    def _paths(self) -> Iterator[str]:
        for page in obstore.list(self._store):
            yield from (entry["path"] for entry in page)

    def _copy(self, name: str, version: str, files: list[str]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        # A name that begins with a dot holds no model: a copy that was cut off is never taken for a version.
        half = Path(tempfile.mkdtemp(prefix=".coming-", dir=self._folder))
        try:
            for file in files:
                target = half / "version" / file
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as copy:
                    for part in obstore.get(self._store, f"{name}/{version}/{file}").stream():
                        copy.write(part)
            (self._folder / name).mkdir(exist_ok=True)
            (half / "version").rename(self._folder / name / version)
        finally:
            shutil.rmtree(half, ignore_errors=True)
