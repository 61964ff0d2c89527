"""Calls to App about large files that go straight to the store. `app_client.py` makes them part of its own."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import requests

from portal_wire.contract import Uploaded

_COMPLETE_TIMEOUT_S = 120.0  # App fetches and examines the file meanwhile


class DirectCalls:
    """Answers are as App's OpenAPI document describes them. Each raises Conflict where files go by the portal alone."""

    @abstractmethod
    def _call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any
    ) -> requests.Response: ...

    def begin_upload(self, filename: str, size_bytes: int, media_type: str) -> dict[str, Any]:
        """The permit: `id`, and what to post where."""
        body = {"filename": filename, "size_bytes": size_bytes, "media_type": media_type}
        permit: dict[str, Any] = self._call("POST", "/v1/uploads", json=body).json()
        return permit

    def complete_upload(self, upload_id: str) -> Uploaded:
        answer = self._call("POST", f"/v1/uploads/{upload_id}/complete", timeout_s=_COMPLETE_TIMEOUT_S)
        return Uploaded.model_validate_json(answer.content)

    def original_link(self, study_id: str) -> str:
        """An address of the uploaded file in the store, good for minutes."""
        return str(self._call("GET", f"/v1/studies/{study_id}/original/link").json()["url"])
