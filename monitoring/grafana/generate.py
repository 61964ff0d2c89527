"""Makes dashboards/*.json, as Grafana reads them, of dashboards.yml: `python monitoring/grafana/generate.py`."""

import json
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
SOURCE = {"type": "prometheus", "uid": "lightbox"}
WIDTH, HEIGHT = 8, 8  # Grafana's page is 24 wide
STAT_WIDTH, STAT_HEIGHT = 6, 4


def dashboards() -> dict[str, dict[str, Any]]:
    """Each dashboard by the name of its file."""
    described = yaml.safe_load((HERE / "dashboards.yml").read_text(encoding="utf-8"))
    return {name: _dashboard(name, board) for name, board in described.items()}


def text(dashboard: dict[str, Any]) -> str:
    """What its file holds."""
    return json.dumps(dashboard, indent=1) + "\n"


def _dashboard(name: str, board: dict[str, Any]) -> dict[str, Any]:
    panels, x, y, row_height = [], 0, 0, 0
    for number, described in enumerate(board["panels"], start=1):
        stat = described.get("kind") == "stat"
        width, height = (STAT_WIDTH, STAT_HEIGHT) if stat else (WIDTH, HEIGHT)
        if x + width > 24 or (row_height and height != row_height):
            x, y = 0, y + row_height
        panels.append(_panel(number, described, {"x": x, "y": y, "w": width, "h": height}))
        x, row_height = x + width, height
    return {
        "uid": f"lightbox-{name}",
        "title": board["title"],
        "tags": ["lightbox"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "panels": panels,
    }


def _panel(number: int, described: dict[str, Any], place: dict[str, int]) -> dict[str, Any]:
    kind = described.get("kind", "timeseries")
    defaults: dict[str, Any] = {"unit": described["unit"], "min": 0}
    if described.get("stack"):
        defaults["custom"] = {"fillOpacity": 40, "stacking": {"mode": "normal"}}
    return {
        "id": number,
        "type": kind,
        "title": described["title"],
        "gridPos": place,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": [_target(index, query, kind) for index, query in enumerate(described["queries"])],
    }


def _target(index: int, query: str | dict[str, str], kind: str) -> dict[str, Any]:
    legend, expression = next(iter(query.items())) if isinstance(query, dict) else ("", query)
    asked = {"refId": chr(ord("A") + index), "datasource": SOURCE, "expr": expression, "legendFormat": legend}
    return asked | ({"instant": True, "range": False} if kind == "stat" else {})


if __name__ == "__main__":
    for name, dashboard in dashboards().items():
        (HERE / "dashboards" / f"{name}.json").write_text(text(dashboard), encoding="utf-8")
