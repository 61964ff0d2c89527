"""What the stand-in for App answers about others' studies."""

from typing import Any

from flask import Flask, Response, jsonify, request

from portal_wire.errors import Forbidden, NotFound, TooManyRequests, Unprocessable
from portal_wire.ids import new_id
from tests.ui_service.fake_server import known

CODE = "made-up-code-of-a-link"
UNTIL = "2026-11-28T08:30:00Z"
OPENING = {"username": "doctor", "action": "view", "times": 2, "last_at": "2026-11-21T08:30:00Z"}
EMERGENCY = {"username": "house", "reason": "Nobody <else> was there.", "began_at": "2026-11-21T08:30:00Z"}
EMERGENCY |= {"ends_at": "2026-11-21T09:30:00Z"}


class Sharing:
    """What a test reads and changes. `seen` are ids of others' studies that the person may look at."""

    def __init__(self) -> None:
        self.shares: list[dict[str, Any]] = []
        self.seen: list[str] = []
        self.reasons: list[str] = []
        self.emergencies: list[dict[str, Any]] = []


def equip(app: Flask, fake: Any) -> None:
    """Add the routes; `fake.sharing` holds what was shared."""
    shared: Sharing = fake.sharing

    @app.get("/v1/studies/<study_id>/openings")
    def openings(study_id: str) -> Response:
        if study_id in shared.seen:
            raise Forbidden("to look at", code="only_looking")
        return jsonify(items=[OPENING], emergencies=shared.emergencies)

    @app.get("/v1/studies/<study_id>/shares")
    def shares(study_id: str) -> Response:
        return jsonify(items=shared.shares)

    @app.post("/v1/studies/<study_id>/shares")
    def share(study_id: str) -> tuple[Response, int]:
        body = request.get_json()
        if body["colleague"] == "nobody":
            raise Unprocessable("There is no other doctor of this name here.", code="no_such_colleague")
        facts = {"id": new_id(), "created_at": "2026-11-21T08:30:00Z", "expires_at": UNTIL, "opened_by": 0}
        shared.shares.append(facts | {"colleague": body["colleague"], "days": body["days"]})
        return jsonify(share=shared.shares[-1], code=CODE), 201

    @app.delete("/v1/studies/<study_id>/shares/<share_id>")
    def revoke_share(study_id: str, share_id: str) -> tuple[str, int]:
        if share_id not in [one["id"] for one in shared.shares]:
            raise NotFound("There is no such share.")
        shared.shares = [one for one in shared.shares if one["id"] != share_id]
        return "", 204

    equip_guest(app, fake, shared)
    equip_search(app, fake, shared)


def equip_search(app: Flask, fake: Any, shared: Sharing) -> None:
    """Access in an emergency, by what a study is called."""

    @app.post("/v1/emergency")
    def search() -> tuple[Response, int]:
        body = request.get_json()
        if len(body["reason"]) < 10 or not body["study"]:
            raise Unprocessable("reason: too short")
        if body["study"] == "guess":
            raise TooManyRequests("Too many searches found nothing. Please try again in 5 min.", retry_after_s=300)
        found = [one.id for one in fake.studies.values() if body["study"] in (one.id, one.patient_reference)]
        if not found:
            raise NotFound("No study has this identifier or patient reference.", code="no_such_study")
        shared.reasons.append(body["reason"])
        shared.seen += found
        return jsonify(items=[{"study_id": name, "until": UNTIL} for name in found]), 201


def equip_guest(app: Flask, fake: Any, shared: Sharing) -> None:
    """What one may look at."""

    @app.get("/v1/shared")
    def seen() -> Response:
        items = [{"study": fake.studies[name].model_dump(mode="json"), "until": UNTIL} for name in shared.seen]
        return jsonify(items=items)

    @app.post("/v1/shared")
    def open_link() -> tuple[Response, int]:
        if request.get_json()["code"] != CODE:
            raise NotFound("This link is not known.", code="no_such_link")
        return jsonify(study_id=shared.seen[0], until=UNTIL), 201

    @app.post("/v1/studies/<study_id>/emergency")
    def emergency(study_id: str) -> tuple[Response, int]:
        known(fake.studies, study_id)
        reason = request.get_json()["reason"]
        if len(reason) < 10:
            raise Unprocessable("reason: too short")
        shared.reasons.append(reason)
        shared.seen.append(study_id)
        return jsonify(study_id=study_id, until=UNTIL), 201
