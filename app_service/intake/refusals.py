"""The reasons for which a recognised picture is refused, each in one wording with one code."""

from app_service.intake.limits import Limits
from portal_wire.errors import Unprocessable


def corrupt(what: str) -> Unprocessable:
    """The file breaks its format's rules or is cut short; `what` says where, as a sentence."""
    return Unprocessable(
        f"The file is damaged or incomplete. {what} Export it again from its source and upload that.", code="corrupt"
    )


def timeout() -> Unprocessable:
    return Unprocessable(
        "The file took too long to read. Save it anew, a picture as a plain PNG or JPEG, and upload that.",
        code="timeout_parse",
    )


def too_large_inflated() -> Unprocessable:
    return Unprocessable("The file unpacks to more data than is allowed for one study.", code="too_large_inflated")


def multiframe() -> Unprocessable:
    return Unprocessable(
        "The file holds an animation of several pictures; one still picture was expected.",
        code="multiframe_not_allowed",
    )


def check_size(columns: int, rows: int, limits: Limits) -> None:
    """Raises `too_many_pixels` or `too_small`. Call it with the header's numbers, before anything is decoded."""
    size = f"{columns} by {rows} pixels"
    if columns * rows > limits.max_pixels:
        raise Unprocessable(
            f"The picture is {size}; at most {limits.max_pixels / 1e6:g} million pixels are allowed.",
            code="too_many_pixels",
        )
    if min(columns, rows) < limits.min_side_pixels:
        raise Unprocessable(
            f"The picture is {size}; each side must have at least {limits.min_side_pixels}.", code="too_small"
        )


def too_many_voxels(limits: Limits) -> Unprocessable:
    return Unprocessable(
        f"The volume is too large; at most {limits.max_voxels / 1e6:g} million values are allowed.",
        code="too_many_voxels",
    )


def bad_values() -> Unprocessable:
    return Unprocessable(
        "The file says things about its grey values that make no sense: a slope or a window of no width, or values "
        "that are no numbers.",
        code="bad_values",
    )


def bad_geometry(what: str) -> Unprocessable:
    """`what` says what is wrong with where the picture lies, as a sentence."""
    return Unprocessable(f"Where this volume lies in space is not described soundly. {what}", code="bad_geometry")


def too_deep() -> Unprocessable:
    return Unprocessable("The file nests one list in another too often to be read.", code="too_deep")


def bad_dims(found: str) -> Unprocessable:
    """`found` says what the file has instead of one volume, as part of a sentence."""
    return Unprocessable(f"One volume of three dimensions was expected; this file has {found}.", code="bad_dims")


def values_not_allowed(what: str) -> Unprocessable:
    return Unprocessable(
        f"The file's values are {what}; whole numbers and decimal numbers are read here.", code="datatype_not_allowed"
    )


def gap_in_series() -> Unprocessable:
    return Unprocessable(
        "Too many slices are missing in between to make a volume of this series. Export the whole series.",
        code="gap_in_series",
    )
