"""Who may open what: every endpoint stands here once, or the application does not start."""

from typing import Literal

from flask import Flask, request

from portal_wire.errors import Forbidden, NotFound, Unauthenticated
from ui_service.signed_in import current_person

Access = Literal["public", "anyone", "doctor", "admin", "operations"]  # "anyone" is anyone who has signed in

ACCESS: dict[str, Access] = {
    "healthz": "public",
    "readyz": "public",
    "metrics": "public",
    "static": "public",
    "sign_in.page": "public",
    "sign_in.enter": "public",
    "directory.away": "public",
    "directory.back": "public",
    "sign_in.leave": "anyone",
    "sign_in.check": "anyone",
    "worklist.page": "doctor",
    "uploads.upload": "doctor",
    "direct.begin": "doctor",
    "direct.complete": "doctor",
    "samples.add": "doctor",
    "selection.run": "doctor",
    "selection.compare": "doctor",
    "selection.archive": "doctor",
    "selection.delete": "doctor",
    "studies.page": "doctor",
    "studies.image": "doctor",
    "studies.original": "doctor",
    "studies.volume": "doctor",
    "sharing.share": "doctor",
    "sharing.revoke": "doctor",
    "sharing.page": "doctor",
    "sharing.open_link": "doctor",
    "sharing.look": "doctor",
    "sharing.emergency": "doctor",
    "sharing.open_in_emergency": "doctor",
    "sharing.emergency_search": "doctor",
    "sharing.search_in_emergency": "doctor",
    "compare.page": "doctor",
    "compare.run": "doctor",
    "compare.standing": "doctor",
    "compare.column": "doctor",
    "jobs.run": "doctor",
    "jobs.cancel": "doctor",
    "jobs.retry": "doctor",
    "jobs.row": "doctor",
    "jobs.answer": "doctor",
    "downloads.artifact": "doctor",
    "downloads.archive": "doctor",
    "downloads.result": "doctor",
    "reviews.save": "doctor",
    "prompts.ask": "doctor",
    "prompts.place": "doctor",
    "prompts.correct": "doctor",
    "prompts.uncorrect": "doctor",
    "live.rows": "doctor",
    "live.answers": "doctor",
    "status.page": "operations",
    "status.entrance": "operations",
    "users.page": "admin",
    "users.create": "admin",
    "users.change": "admin",
    "users.reset": "admin",
    "account.page": "anyone",
    "account.password": "anyone",
    "second_factor.begin": "anyone",
    "second_factor.qr": "anyone",
    "second_factor.confirm": "anyone",
    "second_factor.remove": "anyone",
    "users.remove_factor": "admin",
    "entrances.page": "anyone",
    "entrances.create": "anyone",
    "entrances.revoke": "anyone",
    "entrances.end": "anyone",
    "entrances.page_of_user": "admin",
    "entrances.create_of_user": "admin",
    "entrances.revoke_of_user": "admin",
    "entrances.end_of_user": "admin",
    "audit.page": "admin",
    "models.page": "anyone",
    "models.card": "anyone",
    "models.plot": "anyone",
    "models.network": "anyone",
    "versions.confirm": "admin",
    "versions.change": "admin",
    "calibration.page": "anyone",
    "calibration.fit": "admin",
    "calibration.confirm": "admin",
    "calibration.change": "admin",
}


def guard(app: Flask) -> None:
    """Enforce ACCESS before each request. Raises RuntimeError at start where rows and endpoints differ."""
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    if unlisted := endpoints ^ ACCESS.keys():
        raise RuntimeError(f"ui_service/access.py and the routes differ: {', '.join(sorted(unlisted))}.")

    @app.before_request
    def check() -> None:
        if request.endpoint is None:
            return  # no such address: Flask answers 404
        needed = ACCESS.get(request.endpoint)
        if needed is None:
            raise NotFound("There is no such page.")
        if needed == "public":
            return
        person = current_person()
        if person is None:
            raise Unauthenticated("Please sign in.")
        if person.role not in _MAY[needed]:
            raise Forbidden(_WRONG_ROLE[person.role], code="role")


_MAY: dict[Access, tuple[str, ...]] = {
    "anyone": ("doctor", "admin", "ops"),
    "doctor": ("doctor",),
    "admin": ("admin",),
    "operations": ("admin", "ops"),
}
_WRONG_ROLE = {
    "ops": "This account sees how the portal stands, and nothing else.",
    "admin": "This account looks after the portal. It sees no images and no answers; the models are open to it.",
    "doctor": "Only an administrator may do this.",
}
