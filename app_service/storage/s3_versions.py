"""Earlier versions of objects, in a bucket that keeps them: obstore deletes the newest alone, and leaves a marker."""

import os
from typing import Any

from portal_wire.errors import Unavailable


class Versions:
    """All versions below a portal's prefix. It needs the extra `bucket` (boto3)."""

    def __init__(self, bucket: str, prefix: str, endpoint: str) -> None:
        import boto3  # only here: most buckets keep none

        region = os.environ.get("AWS_REGION")
        self._bucket: Any = boto3.resource("s3", region_name=region, endpoint_url=endpoint or None).Bucket(bucket)
        self._prefix = f"{prefix}/" if prefix else ""

    def delete(self, prefix: str) -> None:
        """Every version and marker of what begins with `prefix`. Raises Unavailable."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answers = self._bucket.object_versions.filter(Prefix=self._prefix + prefix).delete()
        except (BotoCoreError, ClientError):
            answers = [{"Errors": ["away"]}]
        if any(answer.get("Errors") for answer in answers):
            raise Unavailable("The store for files cannot be used at the moment.", retry_after_s=5)
