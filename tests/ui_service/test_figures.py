"""Scores of models that outline stand where those of models that classify do."""

from ui_service import figures

METRICS = {
    "test": {"n": 27, "dice": {"value": 0.9556, "low": 0.9442, "high": 0.9651}},
    "readings": [
        {"date": "2026-11-21T20:01:04+00:00", "version": "1", "dice": 0.9206, "reason": "first candidate"},
        {"date": "2026-11-29T19:09:51+00:00", "version": "2", "reason": "its figures were not kept"},
    ],
}


def test_a_models_dice_heads_its_line() -> None:
    assert figures.headline(METRICS) == [figures.Figure("Dice", "0.956", "0.944 to 0.965")]


def test_each_reading_has_the_scores_that_were_kept() -> None:
    first, second = figures.readings(METRICS)
    assert (first.date, first.scores) == ("2026-11-21", [figures.Figure("Dice", "0.921", "")])
    assert second.scores == []
