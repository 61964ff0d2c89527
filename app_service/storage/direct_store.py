"""Permits by which a browser or a program reaches the bucket itself, past the portal: one object, one deed, for a time.

The signature binds all that matters: of an upload its key, size and type, of a download what the answer says of itself.
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from app_service.storage.object_store import checked_key
from portal_wire.errors import Unavailable

UPLOAD_S, DOWNLOAD_S = 3600, 300  # a slow line may begin late; a download's address is as good as the file


@dataclass(frozen=True)
class Form:
    """What is posted as multipart/form-data: `fields` in this order, and after them the bytes as `file`."""

    url: str
    fields: dict[str, str]


class DirectStore:
    """The bucket of `store_url` as browsers reach it, at `origin`. It needs the extra `bucket` (boto3)."""

    def __init__(self, store_url: str, origin: str) -> None:
        import boto3  # only here: most portals hand out no permits
        from botocore.config import Config

        there, seen = urlsplit(store_url), urlsplit(origin)
        self._bucket, self._prefix = there.netloc, f"{prefix}/" if (prefix := there.path.strip("/")) else ""
        own_host = seen.netloc.startswith(f"{self._bucket}.")  # else the bucket stands in the path
        style = {"addressing_style": "virtual" if own_host else "path"}
        self._client: Any = boto3.Session().client(
            "s3",
            region_name=os.environ.get("AWS_REGION"),
            endpoint_url=f"{seen.scheme}://{seen.netloc.removeprefix(f'{self._bucket}.')}",
            config=Config(signature_version="s3v4", s3=style),
        )

    def upload_form(self, key: str, size_bytes: int, media_type: str) -> Form:
        """For an object of exactly this size and type. Raises Unavailable without credentials."""
        said = {"Content-Type": media_type, "success_action_status": "201"}
        made = self._signed(
            "generate_presigned_post",
            Bucket=self._bucket,
            Key=self._prefix + checked_key(key),
            Fields=dict(said),
            Conditions=[*({name: value} for name, value in said.items()), ["content-length-range", *[size_bytes] * 2]],
            ExpiresIn=UPLOAD_S,
        )
        return Form(made["url"], made["fields"])

    def download_link(self, key: str, filename: str) -> str:
        """For a file to be saved under this name, and never shown. Raises Unavailable without credentials."""
        asked = {
            "Bucket": self._bucket,
            "Key": self._prefix + checked_key(key),
            "ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(filename, safe='')}",  # RFC 6266
            "ResponseContentType": "application/octet-stream",
            "ResponseCacheControl": "no-store",
        }
        link = self._signed("generate_presigned_url", ClientMethod="get_object", Params=asked, ExpiresIn=DOWNLOAD_S)
        return str(link)

    def _signed(self, method: str, **asked: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client, method)(**asked)
        except (BotoCoreError, ClientError) as error:
            raise Unavailable("The store for files cannot be used at the moment.", retry_after_s=5) from error


def open_direct(store_url: str, origin: str, *, sealed: bool) -> DirectStore | None:
    """None where nobody reaches the store past the portal: it is a directory, no `origin` is set, or files are sealed,
    because what would come or go there directly would not be."""
    return DirectStore(store_url, origin) if origin and not sealed and store_url.startswith("s3:") else None
