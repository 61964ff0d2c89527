"""One stage for all steps, and a table of them at the end: how long each took, and what it saw."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.rehearsal import capable, cloud
from tests.rehearsal.cloud import Cloud
from tests.rehearsal.stage import Rehearsal, stage

Saw = Callable[[object], None]  # a step says in a few words what it saw
_SECONDS: dict[str, float] = {}
_ENDED: dict[str, tuple[str, str]] = {}  # how, and what was seen


@pytest.fixture
def saw(record_property: Callable[[str, object], None]) -> Saw:
    return lambda what: record_property("saw", what)


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
