"""What was measured of the structures of a mask, in a doctor's units; what is not known is never shown as nought."""

from collections.abc import Sequence

from portal_wire.contract import Measurement, Result

UNKNOWN = "–"  # noqa: RUF001
COLOURS = 32  # as many as structures.js and lightbox.css have; after the last comes the first one again


def found(result: Result) -> list[Measurement]:
    """The structures that the mask shows any of."""
    return [each for each in result.measurements if each.pixels or each.voxels]


def columns(result: Result) -> list[tuple[str, str]]:
    """Heading and unit of each column: what is known of any structure."""
    told = result.measurements
    area = [("Area", "mm²")] if any(each.area_mm2 is not None for each in told) else [("Area", "pixels")]
    volume = [("Volume", "ml")] if any(each.volume_ml is not None for each in told) else [("Volume", "voxels")]
    flat = not any(each.voxels is not None for each in told)
    density = [("Mean", "HU")] if any(each.mean_hu is not None for each in told) else []
    return [*(area if flat else volume), *density, ("Share", f"% of {'image' if flat else 'volume'}")]


def cells(each: Measurement, shown: Sequence[tuple[str, str]]) -> list[str]:
    """The figures of one structure under `shown`, the columns."""
    of_unit = {
        "mm²": _large(each.area_mm2),
        "pixels": _large(each.pixels),
        "ml": _volume(each.volume_ml),
        "voxels": _large(each.voxels),
        "HU": _signed(each.mean_hu),
    }
    share = "<0.1" if 0 < each.share < 0.0005 else f"{100 * each.share:.1f}"
    return [of_unit.get(unit, share) for _, unit in shown]


def extent(each: Measurement) -> str:
    """The box around the structure in mm, or nothing where that is not known."""
    return " × ".join(_large(side) for side in each.extent_mm) + " mm" if each.extent_mm else ""  # noqa: RUF001


def colour(each: Measurement) -> int:
    """The number of the structure's colour, from 1."""
    return (each.index - 1) % COLOURS + 1


def meaning(result: Result) -> str:
    """How far the figures may be trusted, in one or two sentences."""
    if not found(result):
        return "The model outlined nothing here. That is no finding: look at it yourself."
    look = "Look at the mask before you use them."
    if any(each.voxels is not None for each in result.measurements):
        sides = "Under each name: the box around it, right to left, front to back and head to foot."
        return f"The figures are those of the mask, counted in the volume itself. {sides} {look}"
    if any(each.area_mm2 is not None for each in result.measurements):
        return (
            "Areas, and the box around each structure under its name, are those of the mask at the detector, "
            f"where the body casts a larger picture. {look}"
        )
    return f"Areas are in pixels of the image: the file does not say how large a pixel is. {look}"


def _large(value: float | None) -> str:
    return UNKNOWN if value is None else f"{round(value):,}"


def _volume(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.1f}" if value < 100 else f"{round(value):,}"


def _signed(value: float | None) -> str:
    return UNKNOWN if value is None else f"{round(value)}".replace("-", "−")  # noqa: RUF001
