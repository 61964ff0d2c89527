"""Ids that sort by time: UUIDv7 (RFC 9562 §5.7), for requests, studies and jobs."""

import uuid_utils


def new_id() -> str:
    """A fresh UUIDv7 in its usual text form."""
    return str(uuid_utils.uuid7())
