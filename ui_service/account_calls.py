"""Calls to App about people: accounts and the audit. `app_client.py` makes them part of what one person sees of App."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import requests

from portal_wire.contract import Session

_FACTOR = "/v1/me/second-factor"


class AccountCalls:
    """Answers are as App's OpenAPI document describes them."""

    @abstractmethod
    def _call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any
    ) -> requests.Response: ...

    def begin_directory(self, redirect_uri: str) -> dict[str, Any]:
        """`address` to send the browser to, and the `state` that comes back with it."""
        there: dict[str, Any] = self._call("POST", "/v1/directory", json={"redirect_uri": redirect_uri}).json()
        return there

    def finish_directory(self, state: str, code: str) -> Session:
        """Raises Unauthenticated, with the reason."""
        answer = self._call("POST", "/v1/directory/sessions", json={"state": state, "code": code})
        return Session.model_validate_json(answer.content)

    def openings(self, study_id: str) -> dict[str, Any]:
        """`items`: who opened a study or took files of it, who came last first; `emergencies`: who did so unasked."""
        told: dict[str, Any] = self._call("GET", f"/v1/studies/{study_id}/openings").json()
        return told

    def audit(self, params: Mapping[str, str]) -> dict[str, Any]:
        """`items` and `next_before`; `params` are limit, before, username and action."""
        page: dict[str, Any] = self._call("GET", "/v1/audit", params=dict(params)).json()
        return page

    def users(self) -> list[dict[str, Any]]:
        """Every account, by name."""
        return self._items("/v1/users")

    def create_user(self, username: str, role: str) -> dict[str, Any]:
        """`account` and the `password` to begin with, which nobody can ask for again."""
        made: dict[str, Any] = self._call("POST", "/v1/users", json={"username": username, "role": role}).json()
        return made

    def change_user(self, user_id: str, **changes: Any) -> None:
        """`role` and `disabled`; acts at once on everything that the account has open."""
        self._call("PATCH", f"/v1/users/{user_id}", json=changes)

    def reset_password(self, user_id: str) -> dict[str, Any]:
        """As create_user."""
        made: dict[str, Any] = self._call("POST", f"/v1/users/{user_id}/password").json()
        return made

    def change_password(self, current: str, new: str) -> Session:
        """Ends every session of the account, and opens this one."""
        answer = self._call("PUT", "/v1/me/password", json={"current": current, "new": new})
        return Session.model_validate_json(answer.content)

    def second_factor(self) -> dict[str, Any]:
        """`state` ("none", "begun", "on") and `recovery_codes_left`."""
        factor: dict[str, Any] = self._call("GET", _FACTOR).json()
        return factor

    def begin_second_factor(self, password: str) -> dict[str, Any]:
        """`secret` and `address`; it counts once it is confirmed."""
        made: dict[str, Any] = self._call("POST", _FACTOR, json={"password": password}).json()
        return made

    def second_factor_qr(self) -> requests.Response:
        return self._call("GET", f"{_FACTOR}/qr.svg", stream=True)

    def confirm_second_factor(self, otp: str) -> list[str]:
        """The recovery codes."""
        codes: list[str] = self._call("POST", f"{_FACTOR}/confirm", json={"otp": otp}).json()["recovery_codes"]
        return codes

    def remove_second_factor(self, password: str, otp: str) -> None:
        self._call("POST", f"{_FACTOR}/remove", json={"password": password, "otp": otp})

    def remove_second_factor_of(self, user_id: str) -> None:
        """For somebody who has lost it."""
        self._call("DELETE", f"/v1/users/{user_id}/second-factor")

    def tokens(self, user_id: str | None) -> dict[str, Any]:
        """`items`, and `offered`, the scopes that one may have; of the person who asks, or of an account."""
        found: dict[str, Any] = self._call("GET", f"{_whose(user_id)}/tokens").json()
        return found

    def create_token(self, user_id: str | None, name: str, scopes: list[str], days: int) -> dict[str, Any]:
        """`token` and the `secret`, which nobody can ask for again."""
        body = {"name": name, "scopes": scopes, "days": days}
        made: dict[str, Any] = self._call("POST", f"{_whose(user_id)}/tokens", json=body).json()
        return made

    def revoke_token(self, user_id: str | None, token_id: str) -> None:
        self._call("DELETE", f"{_whose(user_id)}/tokens/{token_id}")

    def sessions(self, user_id: str | None) -> list[dict[str, Any]]:
        """Open ones, the newest first."""
        return self._items(f"{_whose(user_id)}/sessions")

    def end_session(self, user_id: str | None, session_id: str) -> None:
        self._call("DELETE", f"{_whose(user_id)}/sessions/{session_id}")

    def _items(self, path: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._call("GET", path).json()["items"]
        return items


def _whose(user_id: str | None) -> str:
    return f"/v1/users/{user_id}" if user_id else "/v1/me"
