"""The UI tier's application: put together here, and nowhere else."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from portal_wire.errors import PortalError
from portal_wire.http_client import ServiceClient
from portal_wire.http_server import equip
from ui_service import access, error_pages, live, rendering, security, signed_in, views
from ui_service.prometheus import Prometheus
from ui_service.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application. Without `settings` they are read from the environment (SettingsError)."""
    settings = settings or Settings.from_environment()
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="__Host-page",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        DIRECTORY_RETURNS_TO=settings.public_origin if settings.directory else None,
        DIRECT_FROM_BYTES=settings.direct_upload_bytes if settings.store_origin else None,
        MAX_CONTENT_LENGTH=None,  # App limits an upload while it reads it; nginx caps every body
        MAX_FORM_MEMORY_SIZE=200_000,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a worklist stays open all day
        WTF_CSRF_SSL_STRICT=False,  # security.protect checks the Origin, which says more than the Referer
    )
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    # nginx alone stands in front of this tier (http://flask.palletsprojects.com/deploying/proxy_fix).
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]

    client = ServiceClient(settings.app_url, settings.app_service_token)
    equip(app, "ui", ready=lambda: {"app": _what_is_wrong(client)}, service_token=None)
    security.protect(app, settings.public_origin, settings.public_host, settings.store_origin)
    error_pages.install(app)
    signed_in.connect(app, client)
    app.extensions[views.status.EXTENSION] = Prometheus(settings.prometheus_url)
    rendering.equip_templates(app)
    live.limit_streams(app, settings.streams)
    for blueprint in (*views.BLUEPRINTS, live.blueprint):
        app.register_blueprint(blueprint)
    access.guard(app)
    return app


def _what_is_wrong(client: ServiceClient) -> str | None:
    try:
        client.request("GET", "/readyz", timeout_s=2.0)
    except PortalError as error:
        return error.detail
    return None
