"""`python -m ml_service.importers.brain001 --checkpoint X.pth --architecture NAME --out weights.npz`

The four networks of the brain-tumour classifier (2 labels: index 0 "no", 1 "yes"; 3 channels), float32.

They were trained on RGB images, resized to 224 x 224, scaled to 0 .. 1, then less 0.5 and divided by 0.3 in every
channel. Our task prepares its images otherwise (grey, equalised), so the imported weights give the original's outputs
for the original's inputs, and for ours nothing that may be believed before it was measured and calibrated anew.
"""

import argparse
from pathlib import Path

import numpy as np

from ml_service.importers.checkpoint import Array, Rule, channels_last, conv, convert, dense, norm, read

VGG = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)  # channels; 0 is a pooling
LABELS = 2


def cnn4() -> list[Rule]:
    """Tensors of the 4-layer CNN."""
    first = dense("fc1.0", "head/dense1", 128 * 49, 896, channels_last(128))
    return [*_trunk(), *first, *dense("fc2.0", "head/logits", 896, LABELS)]


def cnn_attention() -> list[Rule]:
    """Tensors of CNN + attention."""
    return [*_trunk(), *_attention(values=512, channels=128, tokens=49)]


def attention() -> list[Rule]:
    """Tensors of attention only."""
    return _attention(values=300, channels=3, tokens=400)


def vgg16_bn() -> list[Rule]:
    """Tensors of VGG16 with batch norm, as torchvision numbers its layers."""
    rules: list[Rule] = []
    before, index, block, number = 3, 0, 1, 1
    for after in VGG:
        if after == 0:
            index, block, number = index + 1, block + 1, 1
            continue
        rules += conv(f"features.{index}", f"block{block}_conv{number}", before, after)
        rules += norm(f"features.{index + 1}", f"block{block}_norm{number}", after)
        before, index, number = after, index + 3, number + 1
    rules += dense("classifier.0", "head/dense1", 512 * 49, 4096, channels_last(512))
    rules += dense("classifier.3", "head/dense2", 4096, 4096)
    return rules + dense("classifier.6", "head/logits", 4096, LABELS)


ARCHITECTURES = {"cnn4": cnn4, "cnn_attention": cnn_attention, "attention": attention, "vgg16_bn": vgg16_bn}


def weights(tensors: dict[str, Array], architecture: str) -> dict[str, Array]:
    """Returns our weights by path. Raises ValueError naming each tensor that does not fit."""
    return convert(tensors, ARCHITECTURES[architecture]())


def _trunk() -> list[Rule]:
    rules: list[Rule] = []
    for number, (before, after) in enumerate(((3, 64), (64, 64), (64, 128), (128, 128)), start=1):
        rules += conv(f"layer{number}.0", f"layer{number}_conv", before, after)
        rules += norm(f"layer{number}.1", f"layer{number}_norm", after)
    return rules


def _attention(values: int, channels: int, tokens: int) -> list[Rule]:
    rules = dense("patch_embedding_layer", "head/embed", values, 512, channels_last(channels))
    for theirs, ours in (("W_q", "query"), ("W_k", "key"), ("W_v", "value"), ("W_o", "project")):
        rules += dense(f"sa.{theirs}", f"head/{ours}", 512, 512)
    return rules + dense("fc.0", "head/logits", tokens * 512, LABELS)


def main() -> None:
    """Reads the command line and writes the weights."""
    parser = argparse.ArgumentParser(description="Imports a checkpoint of the brain-tumour classifier.")
    parser.add_argument("--checkpoint", required=True, type=Path)
    parser.add_argument("--architecture", required=True, choices=sorted(ARCHITECTURES))
    parser.add_argument("--out", required=True, type=Path)
    given = parser.parse_args()
    np.savez(given.out, **weights(read(given.checkpoint), given.architecture))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
