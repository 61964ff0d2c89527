"""Both sides in turn, several rounds: figures of one round compare, whatever the machine does in between."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from launcher.settings import REPOSITORY

ROUNDS = 3
TORCH = REPOSITORY / ".venv-torch/bin/python"
LITE_MEDSAM = Path(os.environ.get("LITE_MEDSAM", REPOSITORY / "var/LiteMedSAM"))
NAMES = {
    "unet": "3D U-Net by windows, against MONAI",
    "boxes": "LiteMedSAM, 3 boxes on 100 slices, against its script",
}
Side = subprocess.Popen[str]


def compared(what: str, rounds: int = ROUNDS, scale: float = 1.0) -> dict[str, Any]:
    """Seconds of each side and round, their ratios, and how much of the answers is equal. `scale` below 1 is a trial.

    Raises RuntimeError when a side ends.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lightbox-bench-")))
        weights, answers = folder / "weights.npz", [folder / "theirs.npy", folder / "ours.npy"]
        given = [what, str(weights), str(answers[0]), str(scale), str(LITE_MEDSAM)]
        theirs = stack.enter_context(_side(TORCH, "theirs", given))  # makes the weights
        given[2:] = [str(answers[1]), str(scale)]
        ours = stack.enter_context(_side(Path(sys.executable), "ours", given))
        took = [(_seconds(theirs), _seconds(ours)) for _ in range(rounds)]
        came = [np.load(answer) for answer in answers]
    return {
        "theirs_s": [round(one, 2) for one, _ in took],
        "ours_s": [round(other, 2) for _, other in took],
        "ratios": sorted(round(one / other, 2) for one, other in took),
        "equal": round(float((came[0] == came[1]).mean()), 5),
    }


def said(found: dict[str, Any]) -> str:
    """One comparison as a line."""
    ratios, seconds = found["ratios"], (median(found["theirs_s"]), median(found["ours_s"]))
    return (
        f"{median(ratios):.2f} times as fast ({ratios[0]:.2f} to {ratios[-1]:.2f}): {seconds[1]:.2f} s against "
        f"{seconds[0]:.2f} s, {found['equal']:.1%} of the labels equal"
    )


@contextmanager
def _side(python: Path, name: str, given: list[str]) -> Iterator[Side]:
    command = [str(python), "-W", "ignore", "-m", f"benchmarks.volume_networks.{name}", *given]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as side:
        try:
            _line(side, name)
            yield side
        finally:
            side.kill()


def _seconds(side: Side) -> float:
    assert side.stdin is not None
    print(file=side.stdin, flush=True)
    return float(_line(side, "side"))


def _line(side: Side, name: str) -> str:
    assert side.stdout is not None
    line = side.stdout.readline()
    if not line:
        raise RuntimeError(f"{name} ended")
    return line
