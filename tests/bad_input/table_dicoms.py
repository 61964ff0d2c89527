"""B42 to B61: DICOM files."""

from functools import partial

from tests.bad_input import dicoms, kept
from tests.bad_input.case import PARSED_S, Row, refused, taken

DCM = ".dcm"
HIDDEN = kept.without(b"Canary", b"Marigold", b"19700101", b"onerror")
OTHER_SYNTAX, NO_IMAGE = "transfer_syntax_not_allowed", "sop_not_allowed"
SYNTAX_SAYS = "is not read here"

ROWS = {
    "B42": Row(
        "sequences with lengths in one another: one that nothing needs is passed over unread",
        (
            taken("1,000 in an unread one", partial(dicoms.nested, 1000, dicoms.UNKNOWN_SEQUENCE), "", DCM, PARSED_S),
            taken("3,000 in an unread one", partial(dicoms.nested, 3000, dicoms.UNKNOWN_SEQUENCE), "", DCM, PARSED_S),
            refused(
                "1,000", partial(dicoms.nested, 1000, dicoms.MODALITY_LUT), "too_deep bad_values", "", DCM, PARSED_S
            ),
        ),
    ),
    "B43": Row(
        "sequences without lengths in one another",
        (
            refused("200", partial(dicoms.nested_open, 200), "too_deep", "nests", DCM),
            refused("3,000", partial(dicoms.nested_open, 3000), "too_deep", "nests", DCM),
        ),
    ),
    "B44": Row("1.5 GB deflated", (refused("", dicoms.deflated_bomb, "too_large_inflated", "unpacks to more", DCM),)),
    "B45": Row(
        "JPIP",
        tuple(
            refused(end, partial(dicoms.syntax, f"1.2.840.10008.1.2.4.{end}"), OTHER_SYNTAX, SYNTAX_SAYS, DCM)
            for end in ("94", "95", "204", "205")
        ),
    ),
    "B46": Row(
        "65535 x 65535 x 100,000,000",
        (
            refused("plane", partial(dicoms.changed, Rows=65535, Columns=65535), "too_many_pixels", "65535 by", DCM),
            refused("frames", partial(dicoms.changed, NumberOfFrames=10**8), "too_many_voxels", "at most 256", DCM),
        ),
    ),
    "B47": Row("Rows as UL", (refused("", dicoms.rows_as_long, "too_many_pixels", "at most 40", DCM),)),
    "B48": Row(
        "palettes",
        (
            refused("none", partial(dicoms.changed, PhotometricInterpretation="PALETTE COLOR"), "corrupt", "", DCM),
            refused("cut short", partial(dicoms.palette, 100), "corrupt", "palette", DCM),
        ),
    ),
    "B49": Row(
        "packed pictures of nothing but noise, syntaxes that nobody knows",
        (
            refused("RLE", partial(dicoms.junk, "1.2.840.10008.1.2.5"), "corrupt", "picture data", DCM),
            refused("JPEG", partial(dicoms.junk, "1.2.840.10008.1.2.4.50"), "corrupt", "picture data", DCM),
            refused("JPEG lossless", partial(dicoms.junk, "1.2.840.10008.1.2.4.70"), "corrupt", "picture data", DCM),
            refused("JPEG-LS", partial(dicoms.junk, "1.2.840.10008.1.2.4.80"), "corrupt", "picture data", DCM),
            refused("JPEG 2000", partial(dicoms.junk, "1.2.840.10008.1.2.4.90"), "corrupt", "picture data", DCM),
            refused("HTJ2K", partial(dicoms.junk, "1.2.840.10008.1.2.4.201"), "corrupt", "picture data", DCM),
            refused("PMSCT_RLE1", partial(dicoms.syntax, "1.3.46.670589.33.1.4.1"), OTHER_SYNTAX, "unknown", DCM),
        ),
    ),
    "B50": Row(
        "meta information that lies",
        (
            taken("longer", partial(dicoms.meta_length, 1000), "", DCM),
            taken("shorter", partial(dicoms.meta_length, -1000), "", DCM),
            refused("none", dicoms.without_meta, OTHER_SYNTAX, "unknown", DCM),
            refused("no DICM", dicoms.without_magic, "type_mismatch", "no kind", DCM),
        ),
    ),
    "B51": Row("pixels of 4 GB", (refused("", partial(dicoms.pixel_length, 0xFFFFFFF0), "corrupt", "", DCM),)),
    "B52": Row(
        "no picture in it",
        (
            refused("no pixels", dicoms.without_pixels, "no_image", "no picture", DCM),
            refused("-1 frames", partial(dicoms.changed, NumberOfFrames=-1), "corrupt", "contradicts", DCM),
            refused("0 bits", partial(dicoms.changed, BitsAllocated=0), "corrupt", "contradicts", DCM),
            refused("7 bits", partial(dicoms.changed, BitsAllocated=7), "corrupt", "contradicts", DCM),
            refused("64 bits", partial(dicoms.changed, BitsAllocated=64), "pixels_not_allowed", "64-bit", DCM),
        ),
    ),
    "B53": Row(
        "other objects",
        (
            refused("report", partial(dicoms.of_class, "88.11"), NO_IMAGE, "Basic Text SR", DCM),
            refused("document", partial(dicoms.of_class, "104.1"), NO_IMAGE, "PDF", DCM),
            refused("structures", partial(dicoms.of_class, "481.3"), NO_IMAGE, "RT Structure", DCM),
            refused("film", partial(dicoms.of_class, "77.1.4.1"), NO_IMAGE, "Video", DCM),
        ),
    ),
    "B54": Row("a PDF with a script", (refused("", dicoms.with_document, NO_IMAGE, "PDF", DCM),)),
    "B55": Row(
        "scripts in names",
        (taken("", dicoms.scripts, "", DCM, look=HIDDEN),),
        elsewhere=("tests/end_to_end/test_browser.py::test_scripts_in_names_are_text",),
    ),
    "B56": Row(
        "line ends, escapes, NUL, a turn of direction and 10 MB of text in tags",
        (
            taken("escapes", dicoms.escapes, "", DCM, look=HIDDEN),
            taken("10 MB", dicoms.long_text, "", DCM, look=HIDDEN),
        ),
    ),
    "B57": Row(
        "texts that their character set does not hold",
        tuple(
            taken(name, partial(dicoms.character_set, name, value), "", DCM, look=HIDDEN)
            for name, value in (
                ("ISO_IR 192", b"Canary\xff\xfe\xc3"),
                ("ISO 2022 IR 87", b"\x1b$BCanary\x1b"),
                ("NO SUCH SET", b"Canary"),
            )
        ),
    ),
    "B58": Row(
        "the same object name with other pixels: names of objects are not kept, so both are studies of their own",
        elsewhere=("tests/bad_input/test_requests.py::test_an_object_name_that_comes_again_changes_no_study",),
    ),
    "B59": Row(
        "object names that are paths or too long: they are compared, never kept and never a path",
        (
            taken("path", partial(dicoms.identified, "../../../../etc/passwd"), "", DCM, look=kept.without(b"passwd")),
            taken("letters", partial(dicoms.identified, "Canary-4711"), "", DCM, look=HIDDEN),
            taken("long", partial(dicoms.identified, "1." * 26), "", DCM),
        ),
    ),
    "B60": Row(
        "text burned into the picture: told with the study",
        (taken("", dicoms.burned_in, "burned_in", DCM),),
    ),
    "B61": Row(
        "MONOCHROME1, no slope, no window",
        (
            taken("MONOCHROME1", partial(dicoms.changed, PhotometricInterpretation="MONOCHROME1"), "", DCM),
            refused("slope 0", partial(dicoms.changed, RescaleSlope=0, RescaleIntercept=0), "bad_values", "slope", DCM),
            refused("slope NaN", dicoms.slope_nan, "bad_values", "slope", DCM),
            refused("window 0", partial(dicoms.changed, WindowCenter=0, WindowWidth=0), "bad_values", "window", DCM),
        ),
        elsewhere=("tests/app_service/intake/test_dicom_image.py::test_monochrome1_is_turned_round_after_the_window",),
    ),
}
