"""Feeds intake's readers bytes that atheris grows by coverage: `python -m tests.fuzz.fuzz_intake SECONDS SEED CORPUS`.

The first byte chooses the reader. Whatever ends it but a result or an allowed error ends the process, with a traceback
and the input, which then belongs into `seeds.FOUND`. `corpus/` holds the smallest files that reach all that a run of
100 seconds reached (libFuzzer's -merge); made from `seeds.SEEDS` alone, of no patient.
"""

import logging
import sys
import warnings

import atheris

with atheris.instrument_imports(include=["app_service.intake", "pydicom.filereader", "zipfile"]):
    from tests.fuzz.readers import ALLOWED, READERS

_READERS = list(READERS.values())


def one(data: bytes) -> None:
    if not data:
        return
    try:
        _READERS[data[0] % len(_READERS)](data[1:])
    except ALLOWED:
        return


def main(seconds: str, seed: str, corpus: str) -> None:
    warnings.simplefilter("ignore")
    logging.disable()
    options = [f"-max_total_time={seconds}", "-max_len=8192", "-rss_limit_mb=3072", "-timeout=10", f"-seed={seed}"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={corpus}/crash-", corpus], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
