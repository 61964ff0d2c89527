"""One stage for all steps, and a table of them at the end: how long each took, and what it saw."""

import os
import signal
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date

import pytest

from tests.rehearsal import capable, cloud
from tests.rehearsal.cache import REPOSITORY
from tests.rehearsal.cloud import Cloud
from tests.rehearsal.shell import run
from tests.rehearsal.stage import Rehearsal, stage

KEPT = REPOSITORY / "var" / "rehearsal.md"

Saw = Callable[[object], None]  # a step says in a few words what it saw
_SECONDS: dict[str, float] = {}
_ENDED: dict[str, tuple[str, str]] = {}  # how, and what was seen


@pytest.fixture
def saw(record_property: Callable[[str, object], None]) -> Saw:
    return lambda what: record_property("saw", what)


@pytest.fixture(scope="session", autouse=True)
def ended_in_order() -> None:
    """Whoever ends a rehearsal ends its hosts and takes its mounts away, too."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def applying(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[Future[Cloud | str]]":
    """Terraform applies while files are checked: its provider mostly waits. Not where no step asks for hosts."""
    if not any("rehearsal" in getattr(item, "fixturenames", ()) for item in request.session.items):
        yield Future()
        return
    if refusal := capable.refusal():
        pytest.exit(refusal, returncode=2)
    with ThreadPoolExecutor(1) as beside:
        yield beside.submit(cloud.apply, tmp_path_factory.mktemp("cloud"))


@pytest.fixture(scope="session")
def rehearsal(applying: "Future[Cloud | str]") -> Iterator[Rehearsal]:
    with stage(applying) as made:
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A step that fails says so, and the others go on; but not where no portal stands."""
    report = yield
    if report.failed and item.name == "test_the_playbooks_provision_them":
        item.session.shouldfail = "nothing to rehearse on: the playbooks did not provision the hosts"
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    step = report.nodeid.partition("step_")[2].replace(".py::test_", "  ")
    _SECONDS[step] = _SECONDS.get(step, 0) + report.duration
    if report.when == "call" or not report.passed:
        told = [str(value) for name, value in report.user_properties if name == "saw"]
        reason = report.longrepr[2] if report.skipped and isinstance(report.longrepr, tuple) else ""
        _ENDED[step] = report.outcome, "; ".join(told) or reason


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("the rehearsal")
    for step, (outcome, told) in _ENDED.items():
        terminalreporter.write_line(f"{outcome:8}{_SECONDS[step]:7.1f} s  {step.replace('_', ' ')}: {told}")
    terminalreporter.write_line(f"        {sum(_SECONDS.values()):7.1f} s  altogether, boot and teardown among it")
    if any(step.startswith("1") for step in _ENDED):
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(_page())
        terminalreporter.write_line(f"The table as a page: {KEPT.relative_to(REPOSITORY)}")


def _page() -> str:
    """The table in Markdown, with what it was seen on, for docs/rehearsal.md."""
    commit = run("git", "-C", str(REPOSITORY), "log", "-1", "--format=%h of %cs").strip()
    lines = [
        f"| {step.replace('_', ' ')} | {outcome} | {_SECONDS[step]:.0f} | {told.replace('|', '/')} |"
        for step, (outcome, told) in _ENDED.items()
    ]
    total = sum(_SECONDS.values())
    seen_on = f"{date.today()}, commit {commit}, {os.cpu_count()} cores, load {os.getloadavg()[2]:.1f} (15 minutes)"
    return f"""In one run: {seen_on}; {total:.0f} s altogether, boot and teardown among it.

| step | | s | what was seen |
|---|---|---:|---|
{chr(10).join(lines)}
"""
