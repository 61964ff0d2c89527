"""A model's metrics.json as tables, whatever its nesting."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

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
    """Every number in `metrics` under the names of the objects around it; texts and lists are left out."""
    return sorted(_walk(metrics, ()), key=lambda group: _rank(group.where, ("Test", "Validation")))


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


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _name(key: str) -> str:
    plain = key.replace("_", " ")
    return _NAMES.get(key, plain[:1].upper() + plain[1:])


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"
