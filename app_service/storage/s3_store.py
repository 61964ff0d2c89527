"""Objects in an S3 bucket, by obstore. Credentials and region come from the AWS_* variables or the machine's role."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from app_service.storage.object_store import checked_key
from app_service.storage.s3_versions import Versions
from portal_wire import env
from portal_wire.errors import NotFound, PortalError, StorageFull, Unavailable

if TYPE_CHECKING:  # obstore has these names for type checkers only
    from obstore.store import S3Config

IN_MEMORY_BYTES = 16 * 1024**2


class S3Objects:
    """An ObjectStore; safe for many threads. S3 answers a put when the object is durable."""

    def __init__(self, bucket: str, prefix: str) -> None:
        """LIGHTBOX_S3_ENDPOINT, when set, is another server that speaks S3, with the bucket in the path."""
        endpoint = env.text("LIGHTBOX_S3_ENDPOINT", "")
        config: S3Config = {"endpoint": endpoint, "virtual_hosted_style_request": False} if endpoint else {}
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
        if env.integer("LIGHTBOX_S3_CHECKSUMS", 0, maximum=1):
            config["checksum_algorithm"] = "SHA256"
        if key := env.text("LIGHTBOX_S3_KMS_KEY", ""):
            config |= {"server_side_encryption": "aws:kms", "sse_kms_key_id": key}
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            config=config,
            client_options={"allow_http": endpoint.startswith("http:"), "connect_timeout": "2s", "timeout": "60s"},
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
        )
        versioned = env.integer("LIGHTBOX_S3_VERSIONED", 0, maximum=1)
        self._versions = Versions(bucket, prefix, endpoint) if versioned else None
        self._temporary = tempfile.TemporaryDirectory(prefix="lightbox-")

    @property
    def temporary_folder(self) -> Path:
        return Path(self._temporary.name)

    def put_folder(self, prefix: str, folder: Path) -> None:
        with _errors():
            for path in folder.iterdir():
                obstore.put(self._store, checked_key(f"{prefix}/{path.name}"), path)
        shutil.rmtree(folder)

    def put_bytes(self, key: str, data: bytes) -> None:
        with _errors():
            obstore.put(self._store, checked_key(key), data)

    def read(self, key: str) -> bytes:
        with _errors():
            return bytes(obstore.get(self._store, checked_key(key)).bytes())

    def open(self, key: str) -> BinaryIO:
        file = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES, dir=self._temporary.name)
        with _errors():
            for part in obstore.get(self._store, checked_key(key)).stream():
                file.write(part)
        file.seek(0)
        return cast(BinaryIO, file)

    def size(self, key: str) -> int:
        with _errors():
            return int(obstore.head(self._store, checked_key(key))["size"])

    def names(self, prefix: str) -> list[str]:
        with _errors():
            found = obstore.list_with_delimiter(self._store, checked_key(prefix) + "/")
        paths = [*found["common_prefixes"], *(entry["path"] for entry in found["objects"])]
        return [path.rstrip("/").rsplit("/", 1)[-1] for path in paths]

    def delete_prefix(self, prefix: str) -> None:
        with _errors():
            for page in obstore.list(self._store, checked_key(prefix) + "/"):
                obstore.delete(self._store, [entry["path"] for entry in page])
        if self._versions is not None:
            self._versions.delete(checked_key(prefix) + "/")

    def sealed(self, key: str, data: bytes) -> bytes:
        return data

    def opened(self, key: str, kept: bytes) -> bytes:
        return kept

    def check(self) -> None:
        with _errors():
            next(iter(obstore.list(self._store, "check", chunk_size=1)), None)


@contextmanager
def _errors() -> Iterator[None]:
    """obstore's errors as ours; the addresses in them stay here."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound("There is no such file in the store.") from error
    except (BaseError, OSError) as error:
        raise _unusable(error) from error


def _unusable(error: Exception) -> PortalError:
    if any(sign in str(error) for sign in ("QuotaExceeded", "XMinioStorageFull", "507 Insufficient")):
        return StorageFull("There is no room left to store files. Nothing was saved.")
    return Unavailable("The store for files cannot be used at the moment.", retry_after_s=5)
