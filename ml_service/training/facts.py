"""What no program can work out about a model: who the patients were, and what it must not be used for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    """Prose for the manifest and the card."""

    title: str
    modalities: tuple[str, ...]
    patients: str
    use: str
    limits: tuple[str, ...]
    attribution: str


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
Frontal films only, upright, bone bright. Negatives, films that lie on their side and other images are refused; most \
films that are upside down are not.
It knows normal and pneumonia, nothing else: a film with another illness may be called either.
Validation films come from the same source as the training films and are easier than the test films; another \
hospital's films may be harder still. Check the operating point on your own films first.
Cropped films, lines, tubes and markers can mislead it. Look at the heat map."""

FACTS = {
    "pneumonia": Facts(
        title="Pneumonia on a child's chest X-ray",
        modalities=("DX", "CR"),
        patients=CHILDREN,
        use="Research and teaching: a second reading, shown with its heat map, beside a person's own.",
        limits=tuple(CHILD_FILM_LIMITS.splitlines()),
        attribution=CREDIT,
    ),
}
