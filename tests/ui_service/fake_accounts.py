"""What the stand-in for App answers about people."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, Response, jsonify, request

from portal_wire.contract import Session, User
from portal_wire.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unprocessable
from portal_wire.ids import new_id

PATHS = ("/v1/audit", "/v1/users")
ACT = {"seq": 71, "at": "2026-11-21T08:30:00Z", "username": "doctor", "action": "sign_in", "outcome": "refused"}
ACT |= {"object_id": None, "address": "10.1.2.3", "request_id": "r"}
SESSION = {"id": new_id(), "began_at": "2026-11-21T08:30:00Z", "ends_at": "2026-11-21T16:30:00Z"}
SESSION |= {"address": "10.1.2.3", "current": True}
SECRET = "lbx_made-up-token"
CODE = "123456"
MADE_UP = "made-up-password-xyz"


def account(username: str, role: str, **changed: Any) -> dict[str, Any]:
    facts = {"id": new_id(), "username": username, "role": role, "created_at": "2026-11-21T08:30:00Z"}
    return facts | {"disabled": False, "temporary_password": False, "second_factor": False} | changed


class Accounts:
    """What a test reads and changes."""

    def __init__(self) -> None:
        self.users = [account("admin", "admin"), account("doctor", "doctor"), account("pacs", "service")]
        self.passwords: list[str] = []
        self.tokens: list[dict[str, Any]] = []
        self.sessions = [SESSION, SESSION | {"id": new_id(), "current": False}]
        self.returns_to = ""  # of a sign-in by the directory
        self.factor = {"state": "none", "recovery_codes_left": 0}

    def user(self, user_id: str) -> dict[str, Any]:
        for one in self.users:
            if one["id"] == user_id:
                return one
        raise NotFound("There is no such account.")


def equip(app: Flask, fake: Any) -> None:
    """Add the routes; `fake.accounts` holds the accounts."""
    people: Accounts = fake.accounts

    @app.get("/v1/audit")
    def audit() -> Response:
        before, wanted = request.args.get("before"), request.args.get("username")
        rows = [ACT | {"seq": 3}] if before else [ACT, ACT | {"seq": 70, "username": None}]
        shown = [row for row in rows if wanted in (None, row["username"])]
        return jsonify(items=shown, next_before=None if before else 70)

    @app.get("/v1/users")
    def users() -> Response:
        return jsonify(items=people.users)

    @app.post("/v1/users")
    def create() -> tuple[Response, int]:
        body = request.get_json()
        if body["username"] in [one["username"] for one in people.users]:
            raise Conflict("There is an account of this name.", code="name_taken")
        people.users.append(account(**body, temporary_password=True))
        return jsonify(account=people.users[-1], password=None if body["role"] == "service" else MADE_UP), 201

    @app.patch("/v1/users/<user_id>")
    def change(user_id: str) -> Response:
        people.user(user_id).update(request.get_json())
        return jsonify(people.user(user_id))

    @app.post("/v1/users/<user_id>/password")
    def reset(user_id: str) -> tuple[Response, int]:
        people.user(user_id)["temporary_password"] = True
        return jsonify(account=people.user(user_id), password=MADE_UP), 201

    equip_directory(app, fake)
    equip_factor(app, people)
    equip_entrances(app, people)

    @app.put("/v1/me/password")
    def change_password() -> Response:
        body = request.get_json()
        if body["current"] == "wrong":
            raise Forbidden("The present password is not right.", code="wrong_password")
        people.passwords.append(body["new"])
        user: User = fake.tokens.pop(request.headers["Authorization"].removeprefix("Bearer "))
        token = new_id() + new_id()
        fake.tokens[token], fake.broken = user, None
        opened = Session(token=token, expires_at=datetime.now(UTC) + timedelta(hours=8), user=user)
        return jsonify(opened.model_dump(mode="json"))


def equip_directory(app: Flask, fake: Any) -> None:
    """A directory in which everybody is the doctor."""

    @app.post("/v1/directory")
    def begin_there() -> tuple[Response, int]:
        fake.accounts.returns_to = request.get_json()["redirect_uri"]
        return jsonify(address="https://directory.test/authorize?state=made-up-state", state="made-up-state"), 201

    @app.post("/v1/directory/sessions")
    def came_back() -> tuple[Response, int]:
        if request.get_json() != {"state": "made-up-state", "code": CODE}:
            raise Unauthenticated("The directory's answer does not fit. Please sign in again.", code="oidc")
        user, token = User(id=new_id(), username="doctor", role="doctor"), new_id() + new_id()
        fake.tokens[token] = user
        opened = Session(token=token, expires_at=datetime.now(UTC) + timedelta(hours=8), user=user)
        return jsonify(opened.model_dump(mode="json")), 201


def equip_factor(app: Flask, people: Accounts) -> None:
    """The second factor of whoever signed in."""

    @app.get("/v1/me/second-factor")
    def factor() -> Response:
        return jsonify(people.factor)

    @app.post("/v1/me/second-factor")
    def begin() -> tuple[Response, int]:
        if request.get_json()["password"] == "wrong":
            raise Forbidden("The present password is not right.", code="wrong_password")
        people.factor["state"] = "begun"
        return jsonify(address="otpauth://totp/x", secret="ABCD EFGH"), 201

    @app.get("/v1/me/second-factor/qr.svg")
    def qr() -> Response:
        svg = '<svg xmlns="http://www.w3.org/2000/svg" width="222" height="222"><path d="M0 0h99v99H0z"/></svg>'
        return Response(svg, mimetype="image/svg+xml")

    @app.post("/v1/me/second-factor/confirm")
    def confirm() -> Response:
        if request.get_json()["otp"] != CODE:
            raise Forbidden("This is not the present code.", code="wrong_otp")
        people.factor.update(state="on", recovery_codes_left=10)
        return jsonify(recovery_codes=[f"abcd-efgh-{number:04}" for number in range(10)])

    @app.post("/v1/me/second-factor/remove")
    def remove() -> tuple[str, int]:
        if request.get_json()["otp"] != CODE:
            raise Forbidden("This is not the present code.", code="wrong_otp")
        people.factor.update(state="none", recovery_codes_left=0)
        return "", 204

    @app.delete("/v1/users/<user_id>/second-factor")
    def without(user_id: str) -> tuple[str, int]:
        people.user(user_id)["second_factor"] = False
        return "", 204


def equip_entrances(app: Flask, people: Accounts) -> None:
    """Tokens and sessions; the same for everybody."""

    @app.get("/v1/me/tokens")
    @app.get("/v1/users/<user_id>/tokens")
    def tokens(user_id: str | None = None) -> Response:
        return jsonify(items=people.tokens, offered=["studies:read", "studies:write"])

    @app.post("/v1/me/tokens")
    @app.post("/v1/users/<user_id>/tokens")
    def make(user_id: str | None = None) -> tuple[Response, int]:
        body = request.get_json()
        if not body["scopes"]:
            raise Unprocessable("scopes: at least one")
        facts = {"created_at": "2026-11-21T08:30:00Z", "expires_at": "2027-02-19T08:30:00Z", "last_used_at": None}
        people.tokens.append(body | facts | {"id": new_id(), "created_by": "doctor"})
        return jsonify(token=people.tokens[-1], secret=SECRET), 201

    @app.delete("/v1/me/tokens/<token_id>")
    @app.delete("/v1/users/<user_id>/tokens/<token_id>")
    def revoke(token_id: str, user_id: str | None = None) -> tuple[str, int]:
        people.tokens = [one for one in people.tokens if one["id"] != token_id]
        return "", 204

    @app.get("/v1/me/sessions")
    @app.get("/v1/users/<user_id>/sessions")
    def sessions(user_id: str | None = None) -> Response:
        return jsonify(items=people.sessions)

    @app.delete("/v1/me/sessions/<session_id>")
    @app.delete("/v1/users/<user_id>/sessions/<session_id>")
    def end(session_id: str, user_id: str | None = None) -> tuple[str, int]:
        if session_id not in [one["id"] for one in people.sessions]:
            raise NotFound("There is no such session.")
        people.sessions = [one for one in people.sessions if one["id"] != session_id]
        return "", 204
