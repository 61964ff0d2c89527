"""The part of a card that says which images get no answer, and how far those shares can be trusted."""

from typing import Any

from ml_service.training.markdown import table

HELD_OUT = "held out"  # in a set's name
FEW = 20  # images of a set, below which its share is an anecdote


def refusal_section(metrics: dict[str, Any]) -> str:
    """Returns the section about what is refused of good images, of images of other kinds, and of other patients."""
    sets = {"good images (test)": metrics["refused_of_good_images"]}
    sets |= metrics["refused_of_foreign_images"] | metrics["images_of_other_patients"]
    rows = []
    for name, found in sets.items():
        said = found["positive_share_of_answered"]
        cell = "-" if said is None else f"{100 * said:.0f} %"
        rows.append([name, str(found["n"]), f"{100 * found['refused_share']:.1f} %", cell])
    head = ["images", "n", "refused", "of the answered: called positive"]
    said = "## Refusal\n\nAn image that is unlike the training images gets no answer.\n\n" + table(head, rows)
    said += "\n" + developed_on(metrics) + "\n"
    if short := metrics.get("below_the_bar"):
        said += f"\nBelow the bar for {', '.join(short['sets'])}; released because {short['reason']}.\n"
    return said


def developed_on(metrics: dict[str, Any]) -> str:
    """Returns what the sets of other kinds are worth: they were looked at while the measures were chosen."""
    few = [f"{name} ({one['n']})" for name, one in metrics["refused_of_foreign_images"].items() if one["n"] < FEW]
    said = (
        "Limits come from validation images alone, but the measures of strangeness were chosen and bettered with these "
        "same sets of other images in sight, so what they show flatters: another kind of image may well be answered."
    )
    if any(HELD_OUT in name for name in metrics["refused_of_foreign_images"]):
        said += f" Those marked {HELD_OUT!r} were looked at once, when this version was made already."
    return said + (f" Too few to tell anything: {', '.join(few)}." if few else "")
