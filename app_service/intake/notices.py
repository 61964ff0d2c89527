"""What a doctor should know about a picture that was taken in; the sandbox's child sends the codes alone."""

from portal_wire.contract import Notice

TEXTS = {
    "turned_upright": "The file says that its picture is stored turned; it was turned upright.",
    "spare_bytes": "The file held bytes that belong to no picture, and they were dropped. "
    "Compare the picture with its source.",
    "burned_in": "The file says that text is burned into its picture; it may name the patient.",
    "orientation_unknown": "The file does not say how its volume lies in the patient: left and right may be exchanged.",
    "slices_interpolated": "The slices do not lie at even distances, or some are missing: values in between were "
    "interpolated along the patient.",
    "tilt_corrected": "The gantry was tilted: each slice was shifted so that the volume is upright.",
    "duplicates_dropped": "Some slices came twice; one of each was kept.",
    "series_divided": "The series holds several stacks of slices; this study is one of them.",
    "named_otherwise": "The file's name ends like that of another format; what counts is what is in it. "
    "Check that it is the file that you meant.",
    "boxes_left_out": "Boxes of the file that do not lie in its picture, or are too many, were left out.",
    "low_quality": "Every pixel has the same value: the picture shows nothing.",
}


def notice(code: str) -> Notice:
    """The notice in words. Raises KeyError for a code that intake does not give."""
    return Notice(code=code, detail=TEXTS[code])
