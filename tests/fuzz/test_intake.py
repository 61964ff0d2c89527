"""Intake's readers under atheris for ten seconds, from what longer runs have grown (`corpus/`; see fuzz_intake.py)."""

import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.readers import ALLOWED, READERS
from tests.fuzz.seeds import FOUND, SEEDS

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
SECONDS = 10
MOST_BYTES = 200_000  # of the kept corpus


def test_nothing_comes_out_but_a_result_or_a_refusal(tmp_path: Path) -> None:
    if find_spec("atheris") is None:
        pytest.skip("atheris is not installed (make setup-dev, on x86-64): intake's readers were not fuzzed")
    shutil.copytree(CORPUS, tmp_path, dirs_exist_ok=True)
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


@pytest.mark.filterwarnings("ignore")  # of pydicom, about values
def test_what_was_grown_is_read_without_a_fault_and_stays_small() -> None:
    """Without atheris too: every kept file goes to the reader that its first byte chooses."""
    readers, kept = list(READERS.values()), [path.read_bytes() for path in sorted(CORPUS.iterdir())]
    assert sum(map(len, kept)) <= MOST_BYTES
    assert {data[0] % len(readers) for data in kept} == set(range(len(readers)))
    for data in kept:
        with suppress(*ALLOWED):
            readers[data[0] % len(readers)](data[1:])
