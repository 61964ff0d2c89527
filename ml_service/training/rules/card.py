"""What no program can work out about the CT tissue model, and its card in Markdown."""

from typing import Any

from ml_service.manifest import Rules
from ml_service.training.markdown import table

TITLE = "Tissues of a CT"
SUBJECT = "a CT in Hounsfield units"
USE = "Research and teaching: how much air, lung, fat, soft tissue and bone a CT shows, and where."
LIMITS = """\
Research use, not for diagnosis. This is not a medical device.
Nothing here was learnt. Fixed ranges of Hounsfield units and fixed rules know no organ and no illness.
Vessels and hearts with contrast agent, metal, and calcifications count as bone.
Bone is what is as dense as bone: marrow and spongy bone count as soft tissue or fat, about two fifths of a vertebra.
Lung that is dense as tissue (pneumonia, effusion, tumour) counts as soft tissue; mostly empty lung as air.
Gas in the bowel with little air among much stool, and bubbles at the resolution's limit, may count as fat.
Air that is open to the room within a slice (nose, mouth, throat) counts as outside.
Where one tissue borders on another a voxel is a mixture: a rim of lung, gas and skin counts as fat.
Arms, blankets and wide table parts near the body may count as body, or be left out.
Noise is not smoothed: in a noisy CT fat and soft tissue are speckled with one another.
Only CT in Hounsfield units. A cone-beam CT, or one whose levels were rescaled, is refused or wrong."""
HOW = """\
Slice by slice across the body's long axis. Gas is what lies below -400 HU after a 3 x 3 median. The body is every large
piece of the rest without what is thinner than 6 mm, holes filled; so the table is none of it. Inside: fat below -30 HU
(by Mitsiopoulos et al. 1998 from -190; what lies between is mixture), soft tissue up to 150 HU (the same), bone from
there. Pieces of gas are joined through the slices. One of at least 20 ml that is not mostly below -950 HU, as emphysema
is (Gevenois et al. 1996), is lung; all others are air. The mask has the voxels and the affine of the CT. No network and
no chance is in it: the same CT gets the same mask."""
COST = """\
A CT of 512 x 512 x 300 voxels took 5 seconds of one core and, with the whole program around it, less than 0.9 GB."""
BESIDE = """\
Beside masks of others, on four CTs (two are of one patient). The masks of trunk and chest are a network's own
(TotalSegmentator), those of the belly were drawn by hand:"""
SOURCES = """\
`golden/phantom.nii` is drawn by a program and ours. The slice in `plots/`, and the CTs that were measured, are example
files of TotalSegmentator (Wasserthal et al. 2023, *Radiology: AI* 5(5), Apache-2.0) and of dcmqi (Herz et al. 2017,
*Cancer Research* 77(21), BSD-3-Clause)."""


def write(manifest: Rules, metrics: dict[str, Any]) -> str:
    """Returns the card."""
    parts = [
        f"# {manifest.title}\n",
        f"Model `{manifest.name}`, version {manifest.version}, not trained. **Research use, not for diagnosis.**\n",
        f"## Use\n\n{USE}\n",
        "## Limits\n\n" + "\n".join(f"- {limit}" for limit in manifest.limits) + "\n",
        f"## How it works\n\n{HOW}\n\n{COST}\n",
        "## Measured\n\nOn a drawn body whose tissues are known (Dice):\n",
        table(
            ["tissue", "Dice"],
            [[name.replace("_", " "), f"{dice:.3f}"] for name, dice in metrics["phantom_dice"].items()],
        ),
        f"{BESIDE}\n",
        _agreement(metrics["counted_as_expected"]),
        f"## Sources\n\n{SOURCES}",
    ]
    return "\n".join(parts) + "\n"


def _agreement(found: dict[str, Any]) -> str:
    rows = [
        [
            ct,
            name,
            str(row["voxels"]),
            row["expected"].replace("_", " "),
            f"{100 * row['share_expected']:.0f} %",
            _rest(row),
        ]
        for ct, structures in found.items()
        for name, row in structures.items()
    ]
    return table(["CT", "structure", "voxels", "should be", "is", "the rest"], rows)


def _rest(row: dict[str, Any]) -> str:
    others = {name: share for name, share in row["shares"].items() if name != row["expected"] and share >= 0.01}
    return ", ".join(f"{name.replace('_', ' ')} {100 * share:.0f} %" for name, share in others.items()) or "-"
