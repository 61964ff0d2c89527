"""B01 to B26: pictures, and what pretends to be one."""

from functools import partial

from tests.bad_input import dicoms, kept, pictures
from tests.bad_input.case import SHORT_S, Row, refused, taken

DICOM, JPEG = ".dcm", ".jpg"


ROWS = {
    "B01": Row("empty file", (refused("", lambda: b"", "empty_file", "0 bytes", status=400),)),
    "B02": Row("no part `file`", elsewhere=("tests/bad_input/test_requests.py::test_without_a_file",)),
    "B03": Row("JSON instead of a form", elsewhere=("tests/bad_input/test_requests.py::test_json_is_no_upload",)),
    "B04": Row("a program as scan.png", (refused("", pictures.program, "type_mismatch", "Windows program"),)),
    "B05": Row(
        "a PNG named .dcm: taken as what it is, with a warning",
        (taken("", pictures.saved, "named_otherwise", ending=DICOM),),
    ),
    "B06": Row("a web page as .png", (refused("", lambda: pictures.HTML, "type_mismatch", "web page"),)),
    "B07": Row("an SVG with a script", (refused("", pictures.drawing, "type_not_allowed", "SVG", ending=".svg"),)),
    "B08": Row("random bytes as .jpg", (refused("", pictures.random_bytes, "type_mismatch", "no kind", JPEG),)),
    "B09": Row(
        "a PNG that is a web page too", (taken("", pictures.with_html, look=kept.without(b"<script>", b"polyglot")),)
    ),
    "B10": Row(
        "a JPEG that is a ZIP too",
        (taken("", pictures.with_zip, ending=JPEG, look=kept.without(b"PK\x03\x04", b"polyglot")),),
    ),
    "B11": Row(
        "a Windows program before DICOM",
        (taken("", partial(dicoms.with_program, b"MZ"), ending=DICOM, look=kept.without(b"MZ\x90")),),
    ),
    "B12": Row(
        "a Linux program before DICOM",
        (taken("", partial(dicoms.with_program, b"\x7fELF"), ending=DICOM, look=kept.without(b"\x7fELF")),),
    ),
    "B13": Row("PNG cut at 60 %", (refused("", lambda: pictures.saved()[:7000], "corrupt", "ends before"),)),
    "B14": Row("PNG with a flipped bit", (refused("", pictures.flipped, "corrupt", "checksum"),)),
    "B15": Row(
        "PNG of 169 megapixels",
        (
            refused(
                "",
                partial(pictures.black, 13_000),
                "too_many_pixels",
                "13000 by 13000 pixels; at most 40 million",
                within_s=SHORT_S,
            ),
        ),
    ),
    "B16": Row(
        "PNG of 400 megapixels",
        (refused("", partial(pictures.black, 20_000), "too_many_pixels", "at most 40", within_s=SHORT_S),),
    ),
    "B17": Row(
        "PNG of 2147483647 x 2147483647",
        (
            refused(
                "",
                lambda: pictures.SIGNATURE + pictures.header(2**31 - 1, 2**31 - 1) + pictures.saved()[33:],
                "too_many_pixels",
                "2147483647 by",
                within_s=SHORT_S,
            ),
        ),
    ),
    "B18": Row("PNG with 64 MiB of packed text", (taken("", pictures.text_bomb, look=kept.without(b"zTXt")),)),
    "B19": Row("PNG of 10,000 frames", (refused("", pictures.animated, "multiframe_not_allowed", "animation"),)),
    "B20": Row(
        "JPEG of 65500 x 65500",
        (refused("", pictures.huge_jpeg, "too_many_pixels", "65500 by 65500", JPEG, within_s=SHORT_S),),
    ),
    "B21": Row(
        "JPEG of 1,000 scans",
        (refused("", pictures.many_scans, "corrupt timeout_parse", "picture", JPEG, within_s=20),),
        elsewhere=("tests/app_service/intake/test_image.py::test_many_scans_are_not_passed_on",),
    ),
    "B22": Row(
        "JPEG with a place, a name and a thumbnail",
        (taken("", pictures.located, ending=JPEG, look=kept.without(b"Exif", b"Canary", b"Marigold")),),
    ),
    "B23": Row(
        "16 bits, RGBA, palette, CMYK",
        (
            taken("16 bits", lambda: pictures.saved(pictures.NOISE.astype("uint16") * 257)),
            taken("RGBA", lambda: pictures.mode("RGBA")),
            taken("palette", lambda: pictures.mode("P")),
            taken("1 bit", lambda: pictures.mode("1")),
            taken("CMYK", lambda: pictures.mode("CMYK", "JPEG"), ending=JPEG),
        ),
        elsewhere=(
            "tests/app_service/intake/test_image.py::test_png_equals_its_twin",
            "tests/app_service/intake/test_image.py::test_a_rare_jpeg_equals_its_twin",
        ),
    ),
    "B24": Row(
        "1 x 1, 20000 x 1",
        (
            refused("dot", lambda: pictures.saved(pictures.NOISE[:1, :1]), "too_small", "1 by 1 pixels; each side"),
            refused("line", lambda: pictures.saved(pictures.line()), "too_small", "20000 by 1 pixels"),
        ),
    ),
    "B25": Row(
        "all black, all white, noise",
        (
            taken("black", lambda: pictures.saved(pictures.NOISE * 0), "low_quality"),
            taken("white", lambda: pictures.saved(pictures.NOISE | 255), "low_quality"),
            taken("noise", pictures.saved),
        ),
        elsewhere=(
            "tests/ml_service/test_ood.py::test_noise_is_refused",
            "tests/ml_service/test_ood.py::test_a_blank_image_is_refused_with_the_reason",
        ),
    ),
    "B26": Row(
        "formats that are not taken",
        (
            refused("TIFF", lambda: pictures.saved(kind="TIFF"), "type_not_allowed", "TIFF", ending=".tif"),
            refused("WebP", lambda: pictures.saved(kind="WEBP"), "type_not_allowed", "WebP", ending=".webp"),
            refused("GIF", lambda: pictures.saved(kind="GIF"), "type_not_allowed", "GIF", ending=".gif"),
            refused("BMP", lambda: pictures.saved(kind="BMP"), "type_not_allowed", "BMP", ending=".bmp"),
            refused("EPS", lambda: pictures.saved(kind="EPS"), "type_not_allowed", "PostScript", ending=".eps"),
            refused("PSD", pictures.photoshop, "type_not_allowed", "Photoshop", ending=".psd"),
            refused("FITS", pictures.fits, "type_not_allowed", "FITS", ending=".fits"),
        ),
    ),
}
