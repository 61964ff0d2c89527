"""The card of the box-prompt model, in Markdown. Every number comes from model.json and metrics.json."""

from typing import Any

from ml_service.manifest import Prompted
from ml_service.training.card import opening
from ml_service.training.facts import Facts
from ml_service.training.markdown import interval, table
from ml_service.training.prompts.measure import WAYS


def write(manifest: Prompted, metrics: dict[str, Any], about: Facts) -> str:
    """Returns the card."""
    parts = [
        *opening(manifest, about),
        _scores(metrics),
        _through(metrics["through_volumes"]),
        _readings(metrics["readings"]),
        _how(manifest),
        f"## Tried\n\n{about.tried}\n",
        f"## Source of the {about.images}\n\n" + about.attribution.split("\n\n", 1)[1].rstrip(),
    ]
    return "\n".join(parts) + "\n"


def _scores(metrics: dict[str, Any]) -> str:
    unseen, seen, held_out = (metrics[key] for key in ("test", "test_of_structures_learnt_in_others", "validation"))
    said = (
        "## Scores\n\nDice by slice, each object asked for by its tight box, or by one whose edges are off as people "
        "draw them. With 95 % intervals of bootstraps that draw patients, then slices. Beside it what needs no "
        "network: the ellipse in the box; GrabCut as OpenCV starts it with a box, started with the box's ellipse, and "
        "told besides that the box's middle is object (on validation by far its best start, so that is the yardstick); "
        "the box itself.\n\n"
        f"**Structures that were never learnt from, in patients that were never seen** ({unseen['objects']} objects, "
        f"{unseen['patients']} patients; the mean is over structures):\n\n"
    )
    told = "\nStructures that were learnt from, in patients that were never seen:\n\n"
    last = f"\nValidation ({held_out['objects']} objects, {held_out['patients']} patients), mean over structures: "
    last += ", ".join(f"{way} {held_out['mean'][way]['value']:.3f}" for way in WAYS) + ".\n"
    return said + _table(unseen) + told + _table(seen) + last


def _table(found: dict[str, Any]) -> str:
    rows = [["mean", str(found["objects"]), *(interval(found["mean"][way]) for way in WAYS), "-"]]
    rows += [
        [name, str(one["objects"]), *(interval(one[way]) for way in WAYS), f"{one['surface_within_2_pixels']:.3f}"]
        for name, one in found["by"].items()
    ]
    return table(["structure", "objects", *WAYS, "outline within 2 pixels"], rows)


def _through(found: dict[str, Any]) -> str:
    rows = [
        [name, split, str(one["slices"]), *_dices(one), _ends(one["beyond"])]
        for split, of_split in found.items()
        for name, one in of_split.items()
    ]
    said = (
        "## Through volumes\n\nFrom one tight box on the structure's largest slice, followed until it ends: Dice in "
        "three dimensions, and by how many slices it went too far (or stopped short: -) at its two ends; and from "
        "two boxes, a quarter of its slices from either end. The rules of following were chosen on the trunk CT that "
        "was learnt from (mean Dice of 21 structures from 0.48 to 0.68) and on the belly MR of validation (18 "
        "structures, 0.56 to 0.79), liver, vertebrae and aorta of those two among them; not on test.\n\n"
    )
    return said + table(["structure", "set", "slices", "Dice", "from two boxes", "beyond its ends"], rows)


def _dices(one: dict[str, Any]) -> list[str]:
    return ["-" if one[key] is None else f"{one[key]:.3f}" for key in ("dice", "dice_from_two_boxes")]


def _ends(beyond: list[int] | None) -> str:
    return "not followed" if beyond is None else " and ".join(f"{number:+d}" for number in beyond)


def _readings(found: list[dict[str, Any]]) -> str:
    rows = [[str(r["date"])[:10], str(r["version"]), f"{r['dice']:.3f}", str(r["reason"])] for r in found]
    return "Every reading of the test split:\n\n" + table(["date", "version", "Dice", "reason"], rows)


def _how(manifest: Prompted) -> str:
    return (
        f"## How it works\n\nArchitecture `{manifest.architecture}`, {manifest.parameters:,} parameters, trained from "
        "scratch. An encoder reads the whole slice once, its longer side brought to 256 pixels, levels from the 0.5th "
        "to the 99.5th percentile; what it knows is kept, and a further box on the slice costs the decoder alone. The "
        "decoder reads a cut-out of the slice of 64 x 64 cells, the box and a quarter of its sides around it, once by "
        "the slice's levels and once by those inside of the box, so that any window serves; and what the encoder knows "
        "of the same place. Above a logit of 0 is inside. Nothing is calibrated, and nothing is refused: a person drew "
        "the box. Through a volume three voices are weighed at each pixel: the network, asked with the tight box of "
        "where the object should be; that place, which is the mask before, moved as the picture moved; and how much "
        "likelier the pixel's level is inside of what was boxed than around it. It ends where the mask is nearly "
        "empty, lies elsewhere, grows by leaps, or has levels that are likelier around the object.\n"
    )
