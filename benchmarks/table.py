"""The figures as a person reads them."""

from statistics import median
from typing import Any


def table(rows: dict[str, list[float]], base: str, latencies_s: dict[str, list[float]]) -> list[dict[str, Any]]:
    """One row a block: median and range of images per second over the rounds, ratio to `base`, latency percentiles.

    The ratio is the median of the rounds' own ratios: machines drift, and a round is short.
    """
    lines = []
    for name, rates in rows.items():
        ratios = sorted(rate / other for rate, other in zip(rates, rows[base], strict=True))
        lines.append(
            {
                "what": name,
                "images_per_s": round(median(rates), 2),
                "range": [round(min(rates), 2), round(max(rates), 2)],
                "ratio": round(median(ratios), 2),
                "ratio_range": [round(ratios[0], 2), round(ratios[-1], 2)],
                "p50_ms": _ms(latencies_s.get(name), 0.5),
                "p95_ms": _ms(latencies_s.get(name), 0.95),
                "p99_ms": _ms(latencies_s.get(name), 0.99),
            }
        )
    return lines


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` of them do not exceed."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, -int(-share * len(ranked) // 1) - 1))]


def show(lines: list[dict[str, Any]], base: str) -> str:
    """The table as text."""
    head = f"{'':34}{'images/s':>10}{'range':>18}{'÷ ' + base:>24}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}"
    return "\n".join([head, *(_line(line) for line in lines)])


def _line(line: dict[str, Any]) -> str:
    low, high = line["range"]
    least, most = line["ratio_range"]
    ratio = f"{line['ratio']:.2f} ({least:.2f}–{most:.2f})"  # noqa: RUF001 - a range
    times = "".join(f"{'' if line[key] is None else line[key]:>9}" for key in ("p50_ms", "p95_ms", "p99_ms"))
    return f"{line['what']:34}{line['images_per_s']:>10.1f}{f'{low:.1f}–{high:.1f}':>18}{ratio:>24}{times}"  # noqa: RUF001


def _ms(values: list[float] | None, share: float) -> int | None:
    return round(percentile(values, share) * 1000) if values else None
