"""Calls to App about people: the audit so far. `app_client.py` makes them part of what one person sees of App."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import requests


class AccountCalls:
    """Answers are as App's OpenAPI document describes them."""

    @abstractmethod
    def _call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any
    ) -> requests.Response: ...

    def openings(self, study_id: str) -> list[dict[str, Any]]:
        """Who opened a study or took files of it; who came last is first."""
        return self._items(f"/v1/studies/{study_id}/openings")

    def audit(self, params: Mapping[str, str]) -> dict[str, Any]:
        """`items` and `next_before`; `params` are limit, before, username and action."""
        page: dict[str, Any] = self._call("GET", "/v1/audit", params=dict(params)).json()
        return page

    def _items(self, path: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._call("GET", path).json()["items"]
        return items
