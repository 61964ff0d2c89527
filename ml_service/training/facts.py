"""What no program can work out about a model: who the patients were, and what it must not be used for."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Facts:
    """Prose for the manifest and the card."""

    title: str
    short: str  # of the title, where the network's name follows
    subject: str  # what it reads, as a noun: the page says of other images that they do not look like it
    images: str  # what one calls several of them
    modalities: tuple[str, ...]
    patients: str
    use: str
    limits: tuple[str, ...]
    attribution: str
    tried: str  # towards better scores, on validation, by the task's house network
    ships_images: bool  # False where the licence does not allow it: golden images are drawn instead


CREDIT = """# Attribution

The JPEG images here are from Kermany, Zhang, Goldbaum (2018), *Labeled Optical Coherence Tomography (OCT) and Chest
X-Ray Images for Classification*, Mendeley Data, V2, https://doi.org/10.17632/rscbjbr9sj.2, licensed under CC BY 4.0
(https://creativecommons.org/licenses/by/4.0/). Changes: grey, resized to 224 x 224 pixels, renamed. `noise.png`, where
present, is random and ours.
"""

CHILDREN = """Children of one to five years, one hospital (Guangzhou Women and Children's Medical Center), frontal
(anterior-posterior) films taken in routine care. Films were graded by two physicians, the test films checked by a
third. The copies used here had been squashed to 224 x 224 pixels. A patient is in one split only."""

CHILD_FILM_LIMITS = """\
Research use, not for diagnosis. This is not a medical device.
Trained on children of 1 to 5 years from one hospital. Not for adults: it refuses only some adult films, and what it \
says about the others means little.
Frontal films only, upright, bone bright. Negatives, films that lie on their side or are upside down, and other images \
are refused.
It knows normal and pneumonia, nothing else: a film with another illness may be called either.
Validation films come from the same source as the training films and are easier than the test films; another \
hospital's films may be harder still. Check the operating point on your own films first.
Cropped films, lines, tubes and markers can mislead it. Look at the heat map."""

BRAIN_SOURCES = """# Attribution

The images here are drawn by a program and are ours. The network was trained on a collection of brain MR slices put
together by others: tumours mostly from Cheng (2017), *brain tumor dataset*, figshare 1512427; slices without a tumour
from Hamada (2020), *Br35H*; collected by Nickparvar (2021), *Brain Tumor MRI Dataset*, with Bhuvaji (2020), *SARTAJ*.
The licence of those images could not be verified, so none of them is shipped.
"""

ADULT_HEADS = """Not known one by one: the collection names no patients, ages or scanners. Slices with a tumour are
mostly contrast-enhanced T1 images in all three planes, of patients with a proven tumour; those without come from
another source. Near-duplicates were removed, and slices were put in groups by order and likeness that stand in for
patients; a group is in one split only. The copies used here are 224 x 224 pixels."""

BRAIN_SLICE_LIMITS = """\
Research use, not for diagnosis. This is not a medical device.
The class goes with the source of the image: slices without a tumour come from other scanners and sequences than those \
with one. Grey levels alone tell much of the difference; the card shows how much the model has beyond that.
It knows glioma, meningioma, pituitary tumour and none of these, on single slices. Other tumours, metastases, \
bleeding, strokes and effects of treatment are called one of the four all the same.
"No tumour seen" on one slice says nothing about the other slices.
Some slices that the collection calls free of tumour look abnormal.
Groups are estimated, so slices of one patient may be in two splits and flatter the scores.
CT, other organs, and inverted or turned slices are refused, but not all of them; of slices upside down about half."""

TRIED_ON_FILMS = """\
Aimed at on test: accuracy 94 %, AUC 0.985, calibration error 0.03 after a fit to the site. Version 6 reaches all \
three, accuracy at the second reading of its weights (93.5 % at the first). What helped most was to stretch training \
films, width to height by up to 1.65 times (1.13 before): versions up to 5 went by the film's shape, which in this \
archive goes with the illness, and called healthy films ill that were taken wider. On validation films, which come \
from the same rooms, that looks like a loss. Helped, too: 192 pixels instead of 128, then 224; flattened frequency \
bands, mixup, more epochs, milder variation at the end, scaling fitted half on plain films and half on varied ones. \
Helped on validation, and little on test: learning features without labels first (SimCLR), and the mean with the \
mirrored film, at twice the time. Did not help: three classes, averaging several networks, also of other \
architectures, SAM, distillation from two versions and their mirrored films, hiding parts of the films. Not tried: \
other seeds. Averaged weights (EMA) are in every run."""

TRIED_ON_SLICES = """\
Aimed at on test: accuracy 96.5 %, AUC 0.997, histogram-matched 0.994. Version 3 reaches the last, misses the \
accuracy by two slices and the AUC by 0.001. Helped: more epochs, 160 and then 192 pixels instead of 128, grey levels \
matched to other slices', milder variation at the end, the mean with the mirrored slice, at twice the time (AUC on \
validation from 0.994 to 0.998). Nothing or little from SAM, from hiding parts of the slices, and from distillation, \
also from three networks at once. Features learnt without labels first (SimCLR) and 26 epochs after them came near \
what version 2 took 69 for; more were not tried. The learning curve still rises with the last doubling of patients: \
more of them would help most. Averaged weights (EMA) and mixup are in every run."""

NETWORKS = {
    "resnet50": "ResNet50",
    "vgg16_bn": "VGG16 with batch norm",
    "cnn4": "4-layer CNN",
    "cnn_attention": "CNN with self-attention",
    "attention": "attention only",
}
# Those that cut tokens: as the original's memory lies, or in true squares, which is another network.
PATCHED = ("attention", "cnn_attention")

FACTS = {
    "pneumonia": Facts(
        title="Pneumonia on a child's chest X-ray",
        short="Pneumonia",
        subject="a frontal chest X-ray of a child",
        images="films",
        modalities=("DX", "CR"),
        patients=CHILDREN,
        use="Research and teaching: a second reading, shown with its heat map, beside a person's own.",
        limits=tuple(CHILD_FILM_LIMITS.splitlines()),
        attribution=CREDIT,
        tried=TRIED_ON_FILMS,
        ships_images=True,
    ),
    "brain-tumour": Facts(
        title="Brain tumour on an MR slice",
        short="Brain tumour",
        subject="a slice of a brain MR",
        images="slices",
        modalities=("MR",),
        patients=ADULT_HEADS,
        use="Research and teaching: comparing networks, never a person's care. See the limits.",
        limits=tuple(BRAIN_SLICE_LIMITS.splitlines()),
        attribution=BRAIN_SOURCES,
        tried=TRIED_ON_SLICES,
        ships_images=False,
    ),
}


def title(about: Facts, architecture: str, params: dict[str, Any]) -> str:
    """Returns the task's title for the house network; another network's name tells its models from it."""
    if architecture not in NETWORKS:
        return about.title
    named = f"{about.short}, {'narrow ' if params.get('width', 1) < 1 else ''}{NETWORKS[architecture]}"
    if architecture not in PATCHED:
        return named
    return f"{named}, {params.get('patches', 'memory')} patches"
