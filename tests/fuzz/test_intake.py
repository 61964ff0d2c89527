"""Intake's readers under atheris for ten seconds; more is `python -m tests.fuzz.fuzz_intake SECONDS SEED CORPUS`."""

import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.corpus import FOUND, SEEDS
from tests.fuzz.readers import ALLOWED, READERS

ROOT = Path(__file__).parents[2]


SECONDS = 10


def test_nothing_comes_out_but_a_result_or_a_refusal(tmp_path: Path) -> None:
    if find_spec("atheris") is None:
        pytest.skip("atheris is not installed (pip install atheris): intake's readers were not fuzzed")
    for number, (name, seeds) in enumerate(SEEDS.items()):
        for each, seed in enumerate(seeds):
            (tmp_path / f"{name}-{each}").write_bytes(bytes([number]) + seed())
    command = [sys.executable, "-m", "tests.fuzz.fuzz_intake", str(SECONDS), "1", str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    assert "Done" in run.stderr, run.stderr[-500:]


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_stays_mended(name: str) -> None:
    with suppress(*ALLOWED):
        READERS[name.split()[0]](FOUND[name]())


@pytest.mark.parametrize("name", SEEDS)
def test_what_it_begins_with_is_good(name: str) -> None:
    for seed in SEEDS[name]:
        READERS[name](seed())
