"""Which engine and precision a version gets: `python -m benchmarks.engines pneumonia=DATA [brain-tumour/2=DATA]`.

Every engine answers the training and validation images of a data folder as they are served; the test split is not
read. bf16 and int8 pass where AUC, accuracy and the share of refused images stay within GATES of TensorFlow's f32; the
quickest that passes is chosen. int8 is measured where a version has that form (`ml_service/training/quantize.py`). The
table is kept in results/engines.json; `--write` puts the precision that came out into each model.json. Times are
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
from ml_service.training.datasets import read_split
from ml_service.training.judge import prepared_split, run
from ml_service.training.scores import auc

GATES = {"f32": 0.001, "bf16": 0.001, "int8": 0.002}
ENGINES = (("tensorflow", "f32"), ("openvino", "f32"), ("openvino", "bf16"), ("openvino", "int8"))
GATED = ("auc", "accuracy", "refused_share")
BATCH, ROUNDS = 16, 8
RESULT = Path(__file__).parent / "results" / "engines.json"


def main() -> None:
    """Prints and keeps the table."""
    places = dict(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)
    table = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    for folder in sorted(path.parent for path in SHIPPED.glob(f"*/*/{manifests.FILE}")):
        data = places.get(f"{folder.parent.name}/{folder.name}", places.get(folder.parent.name))
        if data:
            rows = measured(folder, Path(data))
            precision = chosen(rows)
            table[f"{folder.parent.name}/{folder.name}"] = {"precision": precision, "engines": rows}
            _print(folder, rows, precision)
            if "--write" in sys.argv:
                facts = json.loads((folder / manifests.FILE).read_text(encoding="utf-8"))
                lines = json.dumps(facts | {"precision": precision}, indent=1, ensure_ascii=False)
                (folder / manifests.FILE).write_text(lines + "\n", encoding="utf-8")
    RESULT.write_text(json.dumps(table, indent=1) + "\n")


def measured(folder: Path, data: Path) -> list[dict[str, Any]]:
    """Returns a row an engine: scores, largest difference of a logit from the first engine's, milliseconds."""
    manifest = manifests.read(folder)
    task, refusal = tasks.load(manifest.task), Refusal.load(folder, manifest)
    splits = [read_split(data, name, manifest.training["config"]["classes"]) for name in ("train", "val")]
    pixels = np.concatenate([prepared_split(split, task, manifest.side) for split in splits])
    classes = np.concatenate([split.classes for split in splits])
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


def chosen(rows: list[dict[str, Any]]) -> str:
    """Returns the precision of the quickest of OpenVINO's rows that say what the first row does, the golden answers
    among it: a version that gives others is not served."""
    first, *others = rows
    same = [
        row
        for row in others
        if row["golden"] and all(abs(row[name] - first[name]) <= GATES[row["precision"]] for name in GATED)
    ]
    return str(min(same, key=lambda row: float(row["batch_ms"]))["precision"])


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
