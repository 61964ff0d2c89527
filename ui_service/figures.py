"""A model's metrics.json as tables. What is not known here by name is shown all the same, whatever its nesting."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

_NAMES = {
    "n": "Images",
    "positive": "With the finding",
    "auc": "AUC",
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ece": "Calibration error (ECE)",
    "brier": "Brier score",
}
_NESTED = ("value", "low", "high")
_BASELINES, _READINGS = "beside_baselines", "readings"
_HEADLINE = ("auc", "accuracy", "dice")


@dataclass(frozen=True)
class Figure:
    """One score; `interval` is empty where none was stated."""

    name: str
    value: str
    interval: str


@dataclass(frozen=True)
class Group:
    """The scores that were measured on the same images."""

    where: str
    figures: list[Figure]


def groups(metrics: Mapping[str, object]) -> list[Group]:
    """Every number in `metrics` under the names of the objects around it; texts and lists are left out, and so are the
    baselines, which have a table of their own."""
    others = {key: value for key, value in metrics.items() if key != _BASELINES}
    return sorted(_walk(others, ()), key=lambda group: _rank(group.where, ("Test", "Validation")))


def headline(metrics: Mapping[str, object]) -> list[Figure]:
    """How a version did on its test images: AUC, accuracy and Dice, in that order, of whatever kind they are."""
    test = metrics.get("test")
    every = [figure for key, value in test.items() if (figure := _figure(key, value))] if _is_group(test) else []
    return [figure for word in _HEADLINE for figure in every if figure.name.lower().endswith(word)]


@dataclass(frozen=True)
class Baselines:
    """Scores side by side: `sets` names the columns, each row has an (AUC, accuracy) for each of them."""

    sets: list[str]
    rows: list[tuple[str, list[tuple[str, str]]]]


def baselines(metrics: Mapping[str, object]) -> Baselines | None:
    """The model beside linear ones on the same images; None where that was not measured."""
    found = metrics.get(_BASELINES)
    if not isinstance(found, Mapping) or not found:
        return None
    names = list(next(iter(found.values())))
    cells = {name: [_pair(scores.get(name, {})) for scores in found.values()] for name in names}
    return Baselines([_name(key) for key in found], [(_name(name), cells[name]) for name in names])


@dataclass(frozen=True)
class Reading:
    """One look at the test images: each wears them out a little, so each is on record."""

    date: str
    version: str
    scores: list[Figure]
    reason: str


def readings(metrics: Mapping[str, object]) -> list[Reading]:
    """Every reading of the test images, oldest first."""
    found = metrics.get(_READINGS)
    rows = [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []
    return [
        Reading(
            str(row.get("date", ""))[:10],
            str(row.get("version", "")),
            [figure for key in _HEADLINE if (figure := _figure(key, row.get(key)))],
            str(row.get("reason", "")),
        )
        for row in rows
    ]


def _pair(scores: Mapping[str, object]) -> tuple[str, str]:
    auc, accuracy = (scores.get(key) for key in ("auc", "accuracy"))
    return (_text(auc) if _is_number(auc) else "–", _text(accuracy) if _is_number(accuracy) else "–")  # noqa: RUF001


def _walk(node: Mapping[str, object], path: tuple[str, ...]) -> Iterator[Group]:
    figures = [figure for key, value in node.items() if (figure := _figure(key, value))]
    figures.sort(key=lambda figure: _rank(figure.name, tuple(_NAMES.values())))
    if figures:
        yield Group(_name(", ".join(path)), figures)
    for key, value in node.items():
        if isinstance(value, Mapping) and "value" not in value:
            yield from _walk(value, (*path, key))


def _figure(key: str, value: object) -> Figure | None:
    if isinstance(value, Mapping) and all(_is_number(value.get(name)) for name in _NESTED):
        return Figure(_name(key), _text(value["value"]), f"{_text(value['low'])} to {_text(value['high'])}")
    return Figure(_name(key), _text(value), "") if _is_number(value) else None


def _rank(name: str, first: tuple[str, ...]) -> tuple[int, str]:
    """Those in `first` in their order, then the others by name."""
    return (first.index(name) if name in first else len(first), name)


def _is_group(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _name(key: str) -> str:
    plain = key.replace("_", " ")
    return _NAMES.get(key, plain[:1].upper() + plain[1:])


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"
