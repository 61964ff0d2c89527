"""B27 to B41: NIfTI volumes."""

import gzip
from functools import partial

from tests.bad_input import kept, volumes
from tests.bad_input.case import SHORT_S, Row, refused, taken

NAN, INF = float("nan"), float("inf")
NII, GZ = ".nii", ".nii.gz"
LYING = kept.volume(34, 40, 12)

ROWS = {
    "B27": Row(
        "a gigabyte in a megabyte: its header is enough to refuse it",
        (refused("", volumes.bomb, "too_many_voxels", "at most 256 million", GZ, SHORT_S),),
    ),
    "B28": Row(
        "gzip of 10 GB of zeros", (refused("", volumes.zeros_10_gb, "type_not_allowed", "no NIfTI", GZ, SHORT_S),)
    ),
    "B29": Row("gzip in gzip in gzip", (refused("", volumes.gzipped_thrice, "type_not_allowed", "no NIfTI", GZ),)),
    "B30": Row(
        "32767 in seven dimensions", (refused("", partial(volumes.dims, 7, *[32767] * 7), "bad_dims", "7 dim", NII),)
    ),
    "B31": Row(
        "negative and no size",
        (
            refused("negative", partial(volumes.dims, 3, -5, 40, 40), "bad_header", "its dimensions", NII),
            refused("zero", partial(volumes.dims, 3, 40, 0, 40), "bad_header", "its dimensions", NII),
            refused("minus two dimensions", partial(volumes.dims, -2, 40, 40, 40), "bad_header", "dimensions", NII),
        ),
    ),
    "B32": Row(
        "values that begin nowhere",
        (
            refused("beyond the end", partial(volumes.offset, 9e6), "corrupt", "ends before", NII),
            refused("far beyond", partial(volumes.offset, 1e30), "bad_header", "values begin", NII),
            refused("negative", partial(volumes.offset, -352), "bad_header", "values begin", NII),
            refused("no number", partial(volumes.offset, NAN), "bad_header", "values begin", NII),
        ),
    ),
    "B33": Row(
        "a place that is none",
        (
            refused("NaN", partial(volumes.affine, NAN), "bad_geometry", "not described soundly", NII),
            refused("infinite", partial(volumes.affine, INF), "bad_geometry", "not described soundly", NII),
            refused("zero", partial(volumes.affine, 0), "bad_geometry", "not described soundly", NII),
            refused("zero pixdim", volumes.flat, "bad_geometry", "distance between its values", NII),
        ),
    ),
    "B34": Row(
        "values that are none",
        (
            refused("slope infinite", partial(volumes.slope, INF), "bad_values", "no sense", NII),
            refused("slope 1e38", partial(volumes.slope, 1e38), "bad_values", "no sense", NII),
            refused("slope NaN", partial(volumes.slope, NAN), "bad_values", "no sense", NII),
            refused("voxel infinite", volumes.infinite, "bad_values", "no numbers", NII),
        ),
    ),
    "B35": Row(
        "kinds of values that are not read",
        (
            refused("complex", partial(volumes.kind, 32, 64), "datatype_not_allowed", "complex", NII),
            refused("RGB", partial(volumes.kind, 128, 24), "datatype_not_allowed", "colours", NII),
            refused("float128", partial(volumes.kind, 1536, 128), "datatype_not_allowed", "longer than 64", NII),
            refused("unknown", partial(volumes.kind, 9999, 16), "bad_header", "kind of its values", NII),
        ),
    ),
    "B36": Row(
        "NIfTI-2, big-endian, a pair's header",
        (
            taken("NIfTI-2", volumes.nifti_2, "", NII, look=LYING),
            taken("big-endian", volumes.big_endian, "", NII, look=LYING),
            refused("pair", volumes.pair_header, "type_not_allowed", "NIfTI pair", ".hdr"),
            refused("pair, gzipped", lambda: gzip.compress(volumes.pair_header()), "bad_header", "pair", GZ),
        ),
        elsewhere=("tests/app_service/intake/test_volume.py::test_nifti_keeps_values_and_affine",),
    ),
    "B37": Row(
        "an extension of a gigabyte: refused where the values would lie behind it, else never read",
        (
            refused("with its place", partial(volumes.extension, True), "bad_header", "values begin", NII),
            taken("without", partial(volumes.extension, False), "", NII, look=LYING),
        ),
    ),
    "B38": Row(
        "4 and 7 dimensions",
        (
            refused("4", partial(volumes.dimensions, 40, 40, 4, 3), "bad_dims", "4 dimensions", NII),
            refused("7", partial(volumes.dimensions, 40, 40, 4, 2, 2, 2, 2), "bad_dims", "7 dimensions", NII),
        ),
    ),
    "B39": Row(
        "gzip that breaks off",
        (
            refused("inside", volumes.cut_inside, "corrupt", "to the end", GZ),
            refused("no trailer", volumes.without_trailer, "corrupt", "to the end", GZ),
        ),
    ),
    "B40": Row(
        "a second gzip member with a gigabyte",
        (refused("", volumes.second_member, "too_large_inflated", "more data than is allowed", GZ),),
    ),
    "B41": Row(
        "a gzip name of 100 MB",
        (refused("", volumes.endless_name, "corrupt type_not_allowed", "", GZ),),
    ),
}
