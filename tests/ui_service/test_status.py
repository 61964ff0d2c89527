"""The status page: what App knows, what Prometheus would add, and nothing made up where one of them is away.

With a real Prometheus it is seen in tests/monitoring.
"""

import re

import pytest
from flask import Flask

from portal_wire.errors import Unavailable
from tests.conftest import free_port
from tests.ui_service.conftest import Visitor, settings_for
from tests.ui_service.fake_app import FakeApp
from ui_service.plots import HEIGHT, WIDTH, nice, plot
from ui_service.prometheus import Line
from ui_service.web import create_app


@pytest.fixture
def admin(visitor: Visitor) -> Visitor:
    assert visitor.sign_in("admin").status_code == 303
    return visitor


def shown(page: str, name: str) -> str:
    """What stands beside a name in a list of facts."""
    found = re.search(rf"<dt>{name}</dt><dd>(.*?)</dd>", page, re.DOTALL)
    assert found, name
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


def test_what_app_knows_is_told_without_prometheus_and_the_rest_is_unknown(admin: Visitor) -> None:
    page = admin.get("/status").text
    assert [shown(page, tier) for tier in ("Pages", "Interface", "Models")] == ["● works"] * 3
    assert shown(page, "Workers") == "? unknown"
    assert (shown(page, "Database"), shown(page, "Redis")) == ("● works", "✕ does not answer")
    assert [shown(page, name) for name in ("Waiting", "Longest wait", "Running")] == ["3", "75 s", "12"]
    assert "2026-11-21 08:30 UTC, pneumonia 2: failed repeatedly" in page
    assert shown(page, r"Drift of scores \(PSI\)") == "unknown"
    assert "alerts, hosts and plots are unknown" in page and 'class="panel plot"' not in page


def test_a_prometheus_that_is_away_is_as_good_as_none(fake: FakeApp) -> None:
    app = create_app(settings_for(fake, prometheus_url=f"http://127.0.0.1:{free_port()}"))
    visitor = Visitor(app)
    visitor.sign_in("admin")
    page = visitor.get("/status")
    assert page.status_code == 200 and "alerts, hosts and plots are unknown" in page.text


def test_the_page_opens_although_app_is_away(admin: Visitor, fake: FakeApp) -> None:
    fake.broken = Unavailable("A part of the portal is away.")
    page = admin.get("/status")
    assert page.status_code == 200
    assert (shown(page.text, "Pages"), shown(page.text, "Interface")) == ("● works", "✕ does not answer")
    assert [shown(page.text, name) for name in ("Models", "Database", "Redis")] == ["? unknown"] * 3
    assert "Unknown: the interface does not answer." in page.text


def test_only_the_part_that_changes_is_fetched_again(admin: Visitor) -> None:
    part = admin.get("/status?hours=24", headers={"HX-Request": "true"}).text
    assert shown(part, "Waiting") == "3" and "<html" not in part
    assert not re.search(r"<(a|button|input|select)\b|tabindex", part)  # a swap must take the focus from nobody


def test_an_odd_span_is_no_trouble(admin: Visitor) -> None:
    page = admin.get("/status?hours=1e9").text
    assert re.search(r'aria-current="true">6 hours<', page)


def test_a_line_is_broken_where_samples_are_missing(app: Flask) -> None:
    line = Line({"tier": "ui"}, [(0.0, 0.0), (10.0, 2.0), (900.0, 4.0)])
    drawn = plot("Requests", [line, Line({"tier": "ml"}, [])], "tier", 0.0, 1800.0, str)
    assert [one.name for one in drawn.lines] == ["ui"]
    assert drawn.lines[0].path == f"M0.0 {HEIGHT} L2.0 66.0 M{WIDTH / 2} 22.0 h1"
    assert (drawn.top, drawn.lines[0].latest) == ("5.0", "4.0")
    assert drawn.spoken == "Requests: ui now 4.0."


def test_without_samples_a_plot_says_so() -> None:
    assert plot("Requests", [], "tier", 0.0, 60.0, str).spoken == "Requests: nothing to show yet."


@pytest.mark.parametrize(("highest", "top"), [(0, 1), (0.003, 0.005), (0.2, 0.2), (7, 10), (10, 10), (11, 20)])
def test_a_scale_ends_at_a_round_number(highest: float, top: float) -> None:
    assert nice(highest) == pytest.approx(top)
