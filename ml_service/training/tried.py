"""`python -m ml_service.training.tried --version FOLDER --what TEXT --on TEXT …`: puts a try on record.

That is what was tried towards better scores, on validation or cross-validated training images, never on test. A
version's metrics.json has the record under "tried", later versions take it over, and the card shows it.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from ml_service import manifest as manifests
from ml_service.training.markdown import table

KEY = "tried"
COLUMNS = ("what", "on", "without", "with", "outcome")


def main() -> None:
    """Reads the command line, adds the entry, and writes the card anew."""
    from ml_service.training import card  # it needs this module for the card's table

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--version", required=True, type=Path, metavar="FOLDER", help="a version's folder")
    for name in COLUMNS:
        parser.add_argument(f"--{name}", required=True)
    given = vars(parser.parse_args())
    add(given["version"], {name: given[name] for name in COLUMNS})
    card.rewrite(given["version"])


def add(folder: Path, entry: dict[str, str]) -> None:
    """Adds an entry to a version's record; its hashes have to be made anew (`seal`)."""
    path = folder / manifests.METRICS
    metrics = json.loads(path.read_text(encoding="utf-8"))
    metrics[KEY] = [*metrics.get(KEY, []), entry]
    path.write_text(json.dumps(metrics, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def of_model(model: Path) -> list[dict[str, str]]:
    """Returns what the versions of a model that are on disk have on record, each entry once."""
    found: list[dict[str, str]] = []
    for folder in sorted((path.parent for path in model.glob("*/metrics.json")), key=lambda path: int(path.name)):
        entries = json.loads((folder / manifests.METRICS).read_text(encoding="utf-8")).get(KEY, [])
        found += [entry for entry in entries if entry not in found]
    return found


def tried_section(prose: str, metrics: dict[str, Any]) -> str:
    """Returns the card's section: what was aimed at, in words, and a row for each try with its figures."""
    rows = [[entry[name] for name in COLUMNS] for entry in metrics.get(KEY, [])]
    figures = (
        "\nWith figures; the test split was read for none of these:\n\n" + table(list(COLUMNS), rows) if rows else ""
    )
    return f"## Tried\n\n{prose}\n{figures}"


if __name__ == "__main__":
    main()
