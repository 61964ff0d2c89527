"""What cards are written with."""


def table(head: list[str], rows: list[list[str]]) -> str:
    """Returns a Markdown table."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]]) + "\n"


def interval(score: dict[str, float]) -> str:
    """Returns a score with its interval."""
    return f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"


def plain(value: float | None) -> str:
    """Returns a number, or a dash where there is none."""
    return "-" if value is None else f"{value:.3f}"
