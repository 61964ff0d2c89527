"""Which engine and precision a version gets: `python -m benchmarks.engines pneumonia=DATA [brain-tumour/2=DATA]`.

Every engine answers the validation images of a data folder as they are served: training images were learnt, so that
most of them are far from any limit, and the test split is not read. bf16 and int8 pass where AUC, accuracy and the
share of refused images stay within GATES of TensorFlow's f32; the quickest that passes is chosen. int8 is measured
where a version has that form (`ml_service/training/quantize.py`); a form that failed need not ship, and its row stays.
The table is kept in results/engines.json; `--write` puts the precision that came out into each model.json. Times are
processor milliseconds an image, the least of several rounds.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"  # it can build every engine's networks

import numpy as np
from numpy.typing import NDArray

from ml_service import manifest as manifests
from ml_service import tasks
from ml_service.calibration import calibrated, decided
from ml_service.checks import Unfit, check_golden
from ml_service.engines import Network, open_network
from ml_service.refusal import Refusal
from ml_service.served import Served
from ml_service.settings import SHIPPED, Settings
from ml_service.training import card
from ml_service.training.datasets import read_split
from ml_service.training.judge import prepared_split, run
from ml_service.training.scores import auc

GATES = {"f32": 0.001, "bf16": 0.001, "int8": 0.002}
ENGINES = (("tensorflow", "f32"), ("openvino", "f32"), ("openvino", "bf16"), ("openvino", "int8"))
GATED = ("auc", "accuracy", "refused_share")
SPLIT = "val"
BATCH, ROUNDS = 16, 8
RESULT = Path(__file__).parent / "results" / "engines.json"


def main() -> None:
    """Prints and keeps the table."""
    places = dict(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)
    table = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    for folder in sorted(path.parent for path in SHIPPED.glob(f"*/*/{manifests.FILE}")):
        data = places.get(f"{folder.parent.name}/{folder.name}", places.get(folder.parent.name))
        if data:
            name = f"{folder.parent.name}/{folder.name}"
            rows = judged(with_failed(measured(folder, Path(data)), table.get(name, {}).get("engines", [])))
            precision = chosen(rows)
            table[name] = {"precision": precision, "split": SPLIT, "engines": rows}
            RESULT.write_text(json.dumps(table, indent=1) + "\n")
            _print(folder, rows, precision)
            if "--write" in sys.argv:
                write(folder, rows, precision)


def write(folder: Path, rows: list[dict[str, Any]], precision: str) -> None:
    """Puts the chosen precision into model.json, and what it changes into metrics.json and the card."""
    first, served = rows[0], next(r for r in rows if r["engine"] == "openvino" and r["precision"] == precision)
    exact = next(r for r in rows if r["engine"] == "openvino" and r["precision"] == "f32")
    found = {"precision": precision, "split": SPLIT} | {name: served[name] for name in ("images", "other_answers")}
    found |= {name: [first[name], served[name]] for name in GATED}
    found["time_share"] = round(served["batch_ms"] / exact["batch_ms"], 2)
    path = folder / manifests.METRICS
    metrics = json.loads(path.read_text(encoding="utf-8")) | {"precision": found}
    path.write_text(json.dumps(metrics, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    manifest = manifests.read(folder).model_copy(update={"precision": precision})
    (folder / manifests.FILE).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
    card.rewrite(folder)


def measured(folder: Path, data: Path) -> list[dict[str, Any]]:
    """Returns a row an engine: scores, largest difference of a logit from the first engine's, milliseconds."""
    manifest = manifests.read(folder)
    task, refusal = tasks.load(manifest.task), Refusal.load(folder, manifest)
    images = read_split(data, SPLIT, manifest.training["config"]["classes"])
    pixels, classes = prepared_split(images, task, manifest.side), images.classes
    rows: list[dict[str, Any]] = []
    reference = None
    for engine, precision in ENGINES:
        if precision == "int8" and not (folder / manifests.INT8).exists():
            continue
        changed = manifest.model_copy(update={"engine": engine, "precision": precision})
        network = open_network(changed, folder, threads=1)
        logits, features, _ = run(network, pixels)
        reference = logits if reference is None else reference
        probabilities = calibrated(logits, manifest.calibration)
        answers = decided(probabilities, manifest.calibration)
        first = decided(calibrated(reference, manifest.calibration), manifest.calibration)
        rows.append(
            {
                "engine": engine,
                "precision": precision,
                "images": len(pixels),
                "auc": round(auc(probabilities, classes), 5),
                "accuracy": round(float((answers == classes).mean()), 5),
                "refused_share": round(float((refusal.score(features, pixels) > manifest.typical.threshold).mean()), 5),
                "other_answers": round(float((answers != first).mean()), 5),
                "golden": gives_golden(folder, changed),
                "largest_logit_difference": round(float(np.abs(logits - reference).max()), 4),
                "alone_ms": _ms(network, pixels[:1]),
                "batch_ms": _ms(network, pixels[:BATCH]),
            }
        )
    return rows


def with_failed(rows: list[dict[str, Any]], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the rows with those of the table `before` that failed in a form that the version does not have now."""
    now = {row["precision"] for row in rows}
    return rows + [row for row in before if row["precision"] not in now and not row.get("passes", True)]


def judged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the rows, each with whether it says what the first one does, the golden answers among it: a version that
    gives others is not served."""
    return [
        row
        | {
            "passes": row["golden"]
            and all(round(abs(row[k] - rows[0][k]), 5) <= GATES[row["precision"]] for k in GATED)
        }
        for row in rows
    ]


def chosen(rows: list[dict[str, Any]]) -> str:
    """Returns the precision of the quickest of OpenVINO's rows that pass.

    TensorFlow's row is not chosen from. It says what is exact, and one model that names TensorFlow makes the tier load
    it for all. In the kept table it takes less time a batch than the row that was chosen for none: a test asks that.
    """
    able = [row for row in rows if row["engine"] == "openvino" and row["passes"]]
    return str(min(able, key=lambda row: float(row["batch_ms"]))["precision"])


def gives_golden(folder: Path, manifest: manifests.Manifest) -> bool:
    """Whether a version computed so would pass the check that it gets at every load."""
    served = Served(manifest, folder, Settings(service_token=None))
    try:
        with served.meter.silent():
            check_golden(served)
    except Unfit:
        return False
    finally:
        served.close()
    return True


def _ms(network: Network, pixels: NDArray[np.float32]) -> float:
    spent = []
    for _ in range(ROUNDS):
        began = time.process_time()
        network(pixels)
        spent.append(time.process_time() - began)
    return round(min(spent) / len(pixels) * 1e3, 2)


def _print(folder: Path, rows: list[dict[str, Any]], precision: str) -> None:
    print(f"{folder.parent.name}/{folder.name}: {precision}")
    for row in rows:
        print("  ", *(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
