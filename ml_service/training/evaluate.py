"""`python -m ml_service.training.evaluate (--version FOLDER | --run RUN) --data DIR`: scores on any labelled folder.

Prints the scores as JSON, with the linear baselines beside them where the folder has training images, and why there
are none where it has not; --out writes them with plots. A test split is not read without a reason, and the reading
goes on record: in a version's metrics.json, in a run's readings.json (from where a release takes it over).
"""

import argparse
import json
from pathlib import Path
from typing import Any

from ml_service import manifest as manifests
from ml_service.training import opening, readings
from ml_service.training.datasets import SPLITS, read_rows, read_split
from ml_service.training.judge import Judge
from ml_service.training.measure import beside_baselines
from ml_service.training.plots import draw_scores
from ml_service.training.seal import seal

NO_BASELINES = "no baselines, because labels.csv has no row of the split train, which they would be fitted to"


def main() -> None:
    """Reads the command line and evaluates."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--version", type=Path, metavar="FOLDER", help="a version's folder")
    what.add_argument("--run", type=Path, help="a run folder; --data must be what it was trained on")
    parser.add_argument("--data", required=True, type=Path, help="folder with labels.csv")
    parser.add_argument("--split", default="val", choices=[*SPLITS, "all"])
    parser.add_argument("--reason", help="why a test split is read; wanted for test and all")
    parser.add_argument("--out", type=Path, help="folder for evaluation.json and plots")
    given = parser.parse_args()
    if given.split in ("test", "all") and not given.reason:
        parser.error("a test split is read with a --reason only")
    judge, labels = opening.version(given.version) if given.version else opening.run(given.run, given.data)
    found = evaluate(judge, labels, given.data, given.split, given.out)
    if given.reason:
        record(given.version or given.run, judge, given.reason, found["scores"])
    print(json.dumps(found, indent=1))  # noqa: T201


def evaluate(judge: Judge, labels: tuple[str, ...], data: Path, split: str, out: Path | None = None) -> dict[str, Any]:
    """Returns scores, share refused, and the baselines' scores or why there are none; draws and writes them when there
    is an `out`."""
    images = read_split(data, split, labels)
    films = judge.prepared(images.films)
    found: dict[str, Any] = {
        "model": f"{judge.manifest.name} {judge.manifest.version}",
        "split": split,
        "scores": judge.score(films, images),
        "refused_share": round(float(judge.refused(films).mean()), 4),
    }
    if any(row.split == "train" for row in read_rows(data)):
        found["beside_baselines"] = beside_baselines(judge, read_split(data, "train", labels), images)
    else:
        found["no_baselines"] = NO_BASELINES
    if out:
        fit, names = judge.manifest.calibration, judge.manifest.classes
        draw_scores(out, judge.probabilities(films), images.classes, fit, names, where=split)
        (out / "evaluation.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


def record(place: Path, judge: Judge, reason: str, scores: dict[str, Any]) -> None:
    """Puts a reading of a test split on record, in a version's folder or a run's."""
    entry = readings.reading(judge.manifest.version, reason, scores)
    if not (place / manifests.METRICS).exists():
        readings.add_to_run(place, entry)
        return
    metrics = json.loads((place / manifests.METRICS).read_text(encoding="utf-8"))
    metrics["readings"] = [*metrics["readings"], entry]
    (place / manifests.METRICS).write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    seal(place, judge.manifest)


if __name__ == "__main__":
    main()
