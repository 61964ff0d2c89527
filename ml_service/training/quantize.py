"""`python -m ml_service.training.quantize --version FOLDER --data DIR`: gives a released version an 8-bit form.

NNCF (https://github.com/openvinotoolkit/nncf) replaces the network's 32-bit sums by 8-bit ones whose ranges it takes
from training images (Jacob et al. 2017, https://arxiv.org/abs/1712.05877). Convolutions and sums of maps alone: the
gates of squeeze-and-excitation, of which one number scales a whole channel, stay as they are. A range is the widest
that came of any image: the mean of the images' ranges, which NNCF takes by itself, cuts off what is strong in a few,
and logits moved twenty times as far (by 0.30 instead of 0.015 on average, `pneumonia` 6). The weights stay beside it,
for processors without the instructions. `benchmarks/engines.py` says whether the form is good enough and quicker.

NNCF is in no lock file: it brings much, and only who makes a version needs it (`pip install nncf`).
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from ml_service import manifest as manifests
from ml_service import tasks
from ml_service.engines.openvino import graph
from ml_service.manifest import Manifest
from ml_service.training.datasets import read_split
from ml_service.training.judge import prepared_split
from ml_service.training.seal import seal

IMAGES, SEED = 300, 8
KEPT = ["ReduceMean", "MatMul", "Sigmoid", "Multiply"]  # a gate's parts, and where it is applied


def main() -> None:
    """Reads the command line and quantises."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--version", required=True, type=Path, metavar="FOLDER", help="a version's folder")
    parser.add_argument(
        "--data", required=True, type=Path, help="folder with labels.csv: its training images set ranges"
    )
    given = parser.parse_args()
    quantize(given.version, given.data)


def quantize(folder: Path, data: Path) -> Manifest:
    """Writes int8.xml and int8.bin; which form is used stays as it was. Where it is used, it has to give the version's
    golden answers like any other."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # nobody's training is reported
    import nncf
    import openvino as ov
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    manifest = manifests.read(folder)
    task = tasks.load(manifest.task)
    train = read_split(data, "train", manifest.training["config"]["classes"])
    pixels = prepared_split(train, task, manifest.side)
    chosen = np.random.default_rng(SEED).permutation(len(pixels))[:IMAGES]
    images = nncf.Dataset([pixels[number : number + 1] for number in chosen])
    rounded = nncf.quantize(
        graph(manifest, folder),
        images,
        preset=nncf.QuantizationPreset.MIXED,  # activations that are negative as well get a zero point
        subset_size=IMAGES,
        ignored_scope=nncf.IgnoredScope(types=KEPT, validate=False),  # not every network has all of them
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX
        ),
    )
    ov.save_model(rounded, folder / manifests.INT8)
    return seal(folder, manifest)


if __name__ == "__main__":
    main()
