"""B62 to B73: archives, arrays, and what programs pickle."""

from functools import partial

from tests.app_service.intake.test_volume import linked
from tests.bad_input import archives, kept
from tests.bad_input.case import Row, refused, taken

ZIP, NPZ = ".zip", ".npz"
OUTSIDE = "names files outside itself"
NPZ_HEADER = "no sound header"

ROWS = {
    "B62": Row(
        "names that lead outside",
        tuple(
            refused(name, partial(archives.named, name), "archive_unsafe", OUTSIDE, ZIP)
            for name in ("../../evil.png", "/abs.png", "C:\\evil.png", "..\\evil.png", "a/../../evil.png")
        ),
    ),
    "B63": Row("a symbolic link", (refused("", linked, "archive_unsafe", OUTSIDE, ZIP),)),
    "B64": Row("1 GB in 1 MB", (refused("", archives.bomb, "too_large_inflated", "more data than is allowed", ZIP),)),
    "B65": Row(
        "a thousand names for one file", (refused("", archives.overlapping, "too_large_inflated", "more", ZIP),)
    ),
    "B66": Row("says 10 bytes, unpacks to 100 MB", (refused("", archives.says_little, "corrupt", "unpacked", ZIP),)),
    "B67": Row("100,000 empty files", (refused("", archives.many_empty, "too_many_files corrupt", "", ZIP),)),
    "B68": Row(
        "encrypted, nested, broken",
        (
            refused("encrypted", archives.encrypted, "archive_unsafe", "encrypted", ZIP),
            refused("nested", archives.nested, "archive_unsafe", "archive in the archive", ZIP),
            refused("zip64", archives.zip64_junk, "too_large_inflated", "more data", ZIP),
            refused("CRC", archives.bad_crc, "corrupt", "unpacked", ZIP),
        ),
    ),
    "B69": Row(
        "the same name twice, in both cases, of a device: six films, no name is used",
        (taken("", archives.many_names, "", ZIP, look=kept.as_many(6)),),
    ),
    "B70": Row("NPZ of objects", (refused("", archives.pickled_npz, "datatype_not_allowed", "Python objects", NPZ),)),
    "B71": Row(
        "pickles and model files",
        (
            refused("NumPy", archives.pickled_npy, "type_not_allowed", "NumPy", ".npy"),
            refused("pickle", archives.pickled, "type_mismatch", "no kind", ".pkl"),
            refused("PyTorch", archives.torch_file, "type_mismatch", "no medical picture", ".pt"),
            refused("HDF5", archives.hdf5, "type_not_allowed", "HDF5", ".h5"),
            refused("Keras", archives.keras_file, "type_mismatch", "no medical picture", ".keras"),
        ),
    ),
    "B72": Row(
        "arrays whose header lies",
        (
            refused("72 TiB", partial(archives.claimed, "<f8", f"({10**13},)"), "corrupt", "cut short", NPZ),
            refused("transposed", partial(archives.claimed, "|u1", "(8, 9)", "True"), "corrupt", "cut short", NPZ),
            refused("void", partial(archives.claimed, "|V8", "(8,)"), "datatype_not_allowed", "plain numbers", NPZ),
            refused("objects", partial(archives.claimed, "|O", "(8,)"), "datatype_not_allowed", "objects", NPZ),
            refused("code", partial(archives.claimed, "|u1", "__import__('os')"), "corrupt", NPZ_HEADER, NPZ),
            refused("negative", partial(archives.claimed, "|u1", "(-8, -8)"), "bad_dims", "without values", NPZ),
            refused("a megabyte", archives.long_header, "corrupt", NPZ_HEADER, NPZ),
        ),
    ),
    "B73": Row(
        "other keys, other values",
        (
            taken("other keys", archives.with_truth, "", NPZ),
            refused("NaN", partial(archives.stack_of, "float32", float("nan")), "bad_values", "no numbers", NPZ),
            refused("infinite", partial(archives.stack_of, "float64", float("inf")), "bad_values", "no numbers", NPZ),
            taken("float16", partial(archives.stack_of, "float16"), "orientation_unknown", NPZ),
            taken("bool", partial(archives.stack_of, "bool"), "orientation_unknown", NPZ),
        ),
    ),
}
