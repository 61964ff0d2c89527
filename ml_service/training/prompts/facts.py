"""What no program can work out about the box-prompt model: who the patients were, and what it must not be used for."""

from ml_service.training.facts import Facts

CREDIT = """# Attribution

`golden/trunk.png` and the slices of the trunk and of the aorta in `plots/` are from example files of TotalSegmentator
(Wasserthal et al. 2023, *Radiology: AI* 5(5), Apache-2.0); the belly CT in `plots/` is from dcmqi (Herz et al. 2017,
*Cancer Research* 77(21), BSD-3-Clause), the head MR from pyradiomics (van Griethuysen et al. 2017, *Cancer Research*
77(21), BSD-3-Clause). Changes: windowed, resized, renamed, outlines drawn. `golden/drawn.png` is drawn and ours.
Not shown, but learnt from: lung masks of V7 Labs (2020), CC BY 4.0, on films of Cohen et al. (2020),
arXiv:2006.11988, each CC BY; CHASE_DB1 (Fraz et al. 2012, *IEEE TBME* 59(9)); and, without masks, chest films of
Kermany et al. (2018), doi:10.17632/rscbjbr9sj.2, CC BY 4.0, and brain MR slices of Cheng (2017) and others.
"""

PATIENTS = """Learnt from one CT of a trunk with machine-made masks of about thirty structures (TotalSegmentator's,
not checked by us), from adults' chest films with lung masks, and from photographs of retinas with vessels. Besides,
from pieces of like levels, found by a program, and from shapes that a program drew, on these images and on chest films
and brain MR slices that nobody outlined. Validated on an MR of a belly, films and a retina of others. Tested on other
people: a belly CT outlined by hand, a chest CT with a machine-made mask of the aorta, a head MR with a tumour. A
patient is in one split only. No liver, vertebra, heart, aorta or tumour was learnt from, in nobody; those are the test.
The ready-made box files of the same images were left out: each would repeat an image that is there already."""

LIMITS = """\
Research use, not for diagnosis. This is not a medical device.
It outlines whatever has an edge inside a box, and cannot say that there is nothing. Look at every outline.
Learnt from very few patients, and tested on three for what it never saw: the intervals are wide, and flatter.
Thin and branching structures (vessels, nerves) come out as lumps, or not at all.
A mask has 64 x 64 cells on one and a half times the box: of a large object the outline is as fine as that, not finer.
Following an object through a volume is its weak part (Dice 0.46 to 0.80 from one box, 0.56 to 0.88 from two): it \
runs into what touches the object and looks alike, stops early, and goes on with one piece where an object divides. \
Look at every slice; draw boxes on two slices rather than on one.
Boxes are drawn on slices across the volume's third axis, whatever way that runs in the patient.
Colours are read as grey."""

ABOUT = Facts(
    title="What a box holds",
    short="Box prompt",
    subject="an image or a volume with boxes drawn on it",
    images="slices",
    modalities=("CT", "MR", "DX", "CR", "MG", "US", "NM", "PT", "XA", "RF", "XC", "ES", "OP", "OPT", "GM", "SM", "IO"),
    patients=PATIENTS,
    use="Research and teaching: a first outline of what a person points at, for that person to accept or to redraw.",
    limits=tuple(LIMITS.splitlines()),
    attribution=CREDIT,
    tried="""\
One run, nothing chosen on test. It was planned for 1,300 steps and ended at 900 for want of time, with \
validation Dice still rising slowly (0.830 after 250 steps, 0.850 at the end), so more steps should help. The first \
250 steps had batches of 36 boxes, the others of 24. Not tried yet: wider networks, finer cut-outs, a network that is \
shown the slice before.""",
    ships_images=True,
)
