"""Where the provider is looked for when nobody configured Terraform."""

import stat
from pathlib import Path

import pytest

from tests.terraform import conftest
from tests.terraform.conftest import PROVIDER, Workplace

ASKS = '#!/bin/sh\ncat "$TF_CLI_CONFIG_FILE"\n'


@pytest.fixture(autouse=True)
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `terraform` that tells the configuration which it was given, and a home without one."""
    program = tmp_path / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text(ASKS)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(tmp_path / "missing"))
    monkeypatch.delenv("TF_PLUGIN_CACHE_DIR", raising=False)
    monkeypatch.setattr(conftest, "MIRRORS", ("~/.terraform.d/plugins",))


def test_a_mirror_in_a_usual_place_is_used_though_the_named_configuration_is_missing(tmp_path: Path) -> None:
    (tmp_path / ".terraform.d" / "plugins" / PROVIDER / "5.100.0").mkdir(parents=True)
    told = Workplace(tmp_path / "work").run("init").stdout
    assert f'path = "{tmp_path}/.terraform.d/plugins"' in told


def test_the_plugin_cache_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (tmp_path / "cache", tmp_path / ".terraform.d" / "plugins"):
        (folder / PROVIDER / "5.100.0").mkdir(parents=True)
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", str(tmp_path / "cache"))
    assert f'path = "{tmp_path}/cache"' in Workplace(tmp_path / "work").run("init").stdout


def test_a_configuration_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / ".terraform.d" / "plugins" / PROVIDER / "5.100.0").mkdir(parents=True)
    (tmp_path / "missing").write_text("the site's own\n")
    assert Workplace(tmp_path / "work").run("init").stdout == "the site's own\n"


def test_without_a_mirror_terraform_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".terraform.d" / "plugins").mkdir(parents=True)
    done = Workplace(tmp_path / "work").run("init")
    assert done.returncode != 0 and "missing" in done.stderr
