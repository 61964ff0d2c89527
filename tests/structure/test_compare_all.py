"""What ships can be compared whole, on one study."""

from pathlib import Path

from app_service.routes.bodies import MOST_MODELS

ROOT = Path(__file__).parents[2]


def test_one_request_may_run_every_version_that_ships() -> None:
    assert len(list((ROOT / "ml_service" / "models").glob("*/*/model.json"))) <= MOST_MODELS
