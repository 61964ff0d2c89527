"""What the stand-in for App answers about people."""

from flask import Flask, Response, jsonify, request

PATHS = ("/v1/audit",)
OPENING = {"username": "doctor", "action": "view", "times": 2, "last_at": "2026-11-21T08:30:00Z"}
ACT = {
    "seq": 71,
    "at": "2026-11-21T08:30:00Z",
    "username": "doctor",
    "action": "sign_in",
    "outcome": "refused",
    "object_id": None,
    "address": "10.1.2.3",
    "request_id": "r",
}


def equip(app: Flask) -> None:
    """Add the routes."""

    @app.get("/v1/studies/<study_id>/openings")
    def openings(study_id: str) -> Response:
        return jsonify(items=[OPENING])

    @app.get("/v1/audit")
    def audit() -> Response:
        before = request.args.get("before")
        rows = [ACT | {"seq": 3}] if before else [ACT, ACT | {"seq": 70, "username": None}]
        wanted = request.args.get("username")
        return jsonify(
            items=[row for row in rows if wanted in (None, row["username"])], next_before=None if before else 70
        )
