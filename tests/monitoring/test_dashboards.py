"""The dashboards as files: made of their description, known to Grafana's own schema, about metrics that exist.

That every panel's query returns data is seen in test_live.py. Grafana's server itself is not run here: no package of it
is to be had where these tests run.
"""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "monitoring" / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))


def test_the_files_are_what_the_description_makes() -> None:
    made = runpy.run_path(str(GRAFANA / "generate.py"))
    assert {file.stem: file.read_text() for file in FILES} == {
        name: made["text"](dashboard) for name, dashboard in made["dashboards"]().items()
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_panel_overlaps_another(file: Path) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(file.read_text())["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken and all(x < 24 for x, _ in cells), panel["title"]
        taken |= cells


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_grafanas_schema_loses_nothing_of_a_dashboard(file: Path) -> None:
    """Grafana's own types read it and write the same again; a misspelt key would be gone."""
    sdk = pytest.importorskip(
        "grafana_foundation_sdk.models.dashboard", reason="grafana-foundation-sdk is not installed: make setup-dev"
    )
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins

    register_default_plugins()
    ours = json.loads(file.read_text())
    theirs = json.loads(JSONEncoder().encode(sdk.Dashboard.from_json(ours)))
    assert missing(ours, theirs, "") == []


def missing(ours: Any, theirs: Any, where: str) -> list[str]:
    """What `theirs` lacks or has otherwise; what it has beyond is Grafana's default."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return [lack for key, value in ours.items() for lack in missing(value, theirs.get(key), f"{where}.{key}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [lack for index, value in enumerate(ours) for lack in missing(value, theirs[index], f"{where}[{index}]")]
    return [] if ours == theirs else [f"{where}: {ours!r} became {theirs!r}"]


def test_the_data_source_is_the_one_that_the_panels_name() -> None:
    (source,) = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "lightbox.yml").read_text())["datasources"]
    for file in FILES:
        for panel in json.loads(file.read_text())["panels"]:
            assert {target["datasource"]["uid"] for target in panel["targets"]} == {source["uid"]}
