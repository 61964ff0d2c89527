"""Is everything behind this process well? Asked anew each time: a static answer would be a lie."""

from collections.abc import Callable

from app_service.parts import Parts
from app_service.storage import database
from portal_wire.errors import PortalError


def dependencies(parts: Parts) -> dict[str, str | None]:
    """Each dependency with None when it answers, else what is wrong, in a word."""
    return {
        "database": _trouble(lambda: database.check(parts.engine)),
        "redis": _trouble(parts.redis.ping),
        "store": _trouble(parts.store.check),
        "ml": _trouble(lambda: _models(parts)),
    }


def _models(parts: Parts) -> None:
    """A process that was ready once knows the models: it takes uploads also while the ML tier is away."""
    parts.ml.request("GET", "/v2/health/ready", timeout_s=2)
    parts.models.all()


def _trouble(ask: Callable[[], object]) -> str | None:
    try:
        ask()
    except PortalError as error:
        return error.code
    except Exception as error:  # whatever a driver may raise: its text could hold an address or a password
        return type(error).__name__
    return None
