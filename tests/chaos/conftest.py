"""The App tier's own fixtures serve here too: a real Redis, database, sandbox and store, a stand-in for the ML tier."""

from tests.app_service.conftest import app, doctor, intake_socket, ml, other, parts, settings
from tests.chaos.ward import ward

__all__ = ["app", "doctor", "intake_socket", "ml", "other", "parts", "settings", "ward"]
