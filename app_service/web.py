"""The REST interface: `create_app` for gunicorn, with everything that its routes share."""

import redis
from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, g
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app_service import openapi
from app_service.accounts import limits_hit, throttle
from app_service.parts import open_parts, parts
from app_service.readiness import dependencies
from app_service.routes.archives import archives
from app_service.routes.artifacts import artifacts
from app_service.routes.audit_trail import audit_trail
from app_service.routes.bodies import Json
from app_service.routes.corrections import corrections
from app_service.routes.direct import direct
from app_service.routes.directory import directory
from app_service.routes.emergency import emergency
from app_service.routes.events import events
from app_service.routes.jobs import jobs
from app_service.routes.limits import limits
from app_service.routes.models import models
from app_service.routes.oneself import oneself
from app_service.routes.open_sessions import open_sessions
from app_service.routes.pictures import pictures
from app_service.routes.reviews import reviews
from app_service.routes.second_factor import second_factor
from app_service.routes.sessions import sessions
from app_service.routes.sharing import sharing
from app_service.routes.site_calibration import site_calibration
from app_service.routes.status import status
from app_service.routes.studies import studies
from app_service.routes.tokens import tokens
from app_service.routes.users import users
from app_service.routes.versions import versions
from app_service.settings import Settings
from app_service.uploads.part_file import remove_folders
from portal_wire.errors import NotFound, TooManyRequests, Unavailable, from_status
from portal_wire.http_server import equip, problem

BLUEPRINTS = (
    sessions,
    directory,
    studies,
    direct,
    pictures,
    sharing,
    emergency,
    jobs,
    artifacts,
    archives,
    reviews,
    corrections,
    models,
    versions,
    site_calibration,
    events,
    limits,
    status,
    audit_trail,
    users,
    oneself,
    second_factor,
    tokens,
    open_sessions,
)


def create_app(settings: Settings | None = None) -> APIFlask:
    """The application, with settings from the environment unless given. Raises SettingsError for a bad one."""
    settings = settings or Settings.from_environment()
    app = APIFlask(
        __name__, title="Lightbox", version="1", spec_path="/v1/openapi.json", docs_path=None, json_errors=False
    )
    app.json = Json(app)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_upload_bytes
    opened = app.extensions["lightbox"] = open_parts(settings)
    equip(app, "app", ready=lambda: dependencies(opened), service_token=settings.service_token)
    _answer_outages(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    openapi.describe(app)
    app.teardown_request(remove_folders)
    return app


def _answer_outages(app: APIFlask) -> None:
    @app.errorhandler(NotFound)
    def answer_unknown(error: NotFound) -> Response:
        caller = g.get("caller")
        try:
            if caller is not None:
                throttle.count_unknown(parts().redis, caller.user.id)
        except TooManyRequests as limit:
            return answer_limit(limit)
        except redis.RedisError:
            pass  # not found it is all the same
        return problem(error)

    @app.errorhandler(TooManyRequests)
    def answer_limit(error: TooManyRequests) -> Response:
        limits_hit.note(error)
        return problem(error)

    @app.errorhandler(redis.RedisError)
    @app.errorhandler(DBAPIError)
    @app.errorhandler(PoolTimeout)
    def answer_outage(error: Exception) -> Response:
        return problem(Unavailable("A part of the portal is away. Please try again shortly.", retry_after_s=2))

    @app.error_processor
    def answer_invalid_input(error: HTTPError) -> Response:
        detail = "; ".join(_faults(error.detail)) or error.message or "The request cannot be read."
        code = "invalid_input" if error.status_code in (400, 422) else None  # APIFlask brings every HTTP error here
        return problem(from_status(error.status_code, detail, code=code))


def _faults(detail: object) -> list[str]:
    """What is wrong with which field, from APIFlask's {location: {field: [text]}}; never the value that came."""
    if not isinstance(detail, dict):
        return []
    return [
        f"{field}: {text}"
        for fields in detail.values()
        if isinstance(fields, dict)
        for field, texts in fields.items()
        for text in texts
    ]
