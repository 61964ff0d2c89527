"""Sample films, one click away, for somebody without images at hand."""

from pathlib import Path

from flask import Blueprint, current_app
from werkzeug.wrappers import Response

from portal_wire.errors import NotFound
from ui_service.signed_in import app_tier
from ui_service.views.uploads import answer_with_rows

blueprint = Blueprint("samples", __name__)


def sample_films() -> list[str]:
    """The names of the films in static/samples, in their order; empty where there are none."""
    return [path.name for path in _films()]


@blueprint.post("/samples/<int:number>")
def add(number: int) -> Response:
    """Upload film `number` (from 1) as if the doctor had chosen it."""
    films = _films()
    if not 1 <= number <= len(films):
        raise NotFound("There is no such sample film.")
    film = films[number - 1]
    return answer_with_rows(app_tier().upload_file(film.name, film.read_bytes(), "image/jpeg"))


def _films() -> list[Path]:
    return sorted(Path(current_app.static_folder or "").joinpath("samples").glob("*.jpg"))
