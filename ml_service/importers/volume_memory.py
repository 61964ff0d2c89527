"""How much memory a network for volumes takes beside its weights, worked out from shapes; what it is weighed against is
LIGHTBOX_ML_MEMORY_MB."""

from math import prod
from typing import Any

from ml_service import architectures
from ml_service.describe import rows_of
from ml_service.sliding_window.plan import Plan

USUAL_MM = (400.0, 400.0, 450.0)  # a trunk
USUAL_VOXELS = 512 * 512 * 300  # of it as it comes: its levels and its labels
# Of a pass that are in memory at once. A window of SuPreM's U-Net took 1.4 GiB on OpenVINO, of its SegResNet 0.3; these
# are 1.7 and 0.3.
LARGEST_MAPS = 5


def working_bytes(architecture: str, params: dict[str, Any], plan: Plan, outputs: int) -> int:
    """Returns the bytes of a pass and of a usual volume that goes through it."""
    network = architectures.build(architecture, params)
    maps = sorted((prod(row.output) for row in rows_of(network, (*plan.size, 1))), reverse=True)
    steps = plan.spacing_mm or (0.8, 0.8, 1.5)
    sides = [max(side, mm / step) for side, mm, step in zip(plan.size, USUAL_MM, steps, strict=True)]
    voxels = prod(sides)
    row = voxels / max(sides) * plan.size[sides.index(max(sides))]  # what a row of windows covers
    levels, bits, labels = 4, 4, 1
    volume = voxels * (levels + bits + labels) + USUAL_VOXELS * 3 + 2 * row * outputs * 4
    return int(4 * sum(maps[:LARGEST_MAPS]) + volume)
