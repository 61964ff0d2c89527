"""`python -m ml_service.training.other_images --version FOLDER --foreign NAME=PLACE --shifted NAME=PLACE`

What a version that is made already says to sets of other images: `foreign` ones, which it should refuse, and `shifted`
ones, of the right kind but of other patients. Adds them to its metrics.json and card, or measures them anew. The test
split is not read.
"""

import argparse
import json
from pathlib import Path

from ml_service import manifest as manifests
from ml_service.training import card, opening
from ml_service.training.foreign import read_others

KEYS = {"foreign": "refused_of_foreign_images", "shifted": "images_of_other_patients"}


def main() -> None:
    """Reads the command line, measures, and seals the version's folder again."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--version", required=True, type=Path, metavar="FOLDER", help="a version's folder")
    parser.add_argument("--foreign", action="append", default=[], metavar="NAME=PLACE", help="images to be refused")
    parser.add_argument("--shifted", action="append", default=[], metavar="NAME=PLACE", help="of other patients")
    given = vars(parser.parse_args())
    folder = given["version"]
    judge, _ = opening.version(folder)
    path = folder / manifests.METRICS
    metrics = json.loads(path.read_text(encoding="utf-8"))
    for kind, key in KEYS.items():
        for name, place in (pair.split("=", 1) for pair in given[kind]):
            metrics[key][name] = judge.refusals(read_others(Path(place)))
    path.write_text(json.dumps(metrics, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    card.rewrite(folder)


if __name__ == "__main__":
    main()
