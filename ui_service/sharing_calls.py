"""Calls to App about others' studies. `app_client.py` makes them part of what one person sees of App."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import requests


class SharingCalls:
    """Answers are as App's OpenAPI document describes them."""

    @abstractmethod
    def _call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any
    ) -> requests.Response: ...

    def shares(self, study_id: str) -> list[dict[str, Any]]:
        """The study's links that have not ended, the newest first."""
        return list(self._call("GET", f"/v1/studies/{study_id}/shares").json()["items"])

    def share(self, study_id: str, colleague: str | None, days: int) -> dict[str, Any]:
        """`share` and its `code`, which nobody can ask for again. Raises Unprocessable for who is no colleague."""
        body = {"colleague": colleague, "days": days}
        made: dict[str, Any] = self._call("POST", f"/v1/studies/{study_id}/shares", json=body).json()
        return made

    def revoke_share(self, study_id: str, share_id: str) -> None:
        self._call("DELETE", f"/v1/studies/{study_id}/shares/{share_id}")

    def open_link(self, code: str) -> str:
        """The study's id. Raises NotFound for a link that opens nothing, or not for this person."""
        return str(self._call("POST", "/v1/shared", json={"code": code}).json()["study_id"])

    def shared_with_me(self) -> list[dict[str, Any]]:
        """Others' studies that one may look at now: `study` and `until`."""
        return list(self._call("GET", "/v1/shared").json()["items"])

    def open_in_emergency(self, study_id: str, reason: str) -> None:
        self._call("POST", f"/v1/studies/{study_id}/emergency", json={"reason": reason})

    def search_in_emergency(self, study: str, reason: str) -> list[str]:
        """The ids of the studies that are open now. Raises NotFound for what nothing is called, TooManyRequests."""
        told = self._call("POST", "/v1/emergency", json={"study": study, "reason": reason}).json()
        return [str(one["study_id"]) for one in told["items"]]
