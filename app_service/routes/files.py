"""How the OpenAPI document describes an answer that is a file."""

from typing import Any


def binary(media_type: str, description: str) -> dict[int | str, dict[str, Any]]:
    """A 200 answer of bytes (OpenAPI 3.1: a media type without a schema)."""
    return {200: {"description": description, "content": {media_type: {}}}}
