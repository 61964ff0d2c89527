"""What breaks in a night: killed processes, a host that starts again, memory that runs out, a cable that is out."""

import time
from collections.abc import Callable

from tests.rehearsal.conftest import Saw
from tests.rehearsal.outside import ask, result, start
from tests.rehearsal.stage import Rehearsal

CLASSIFY = "sign_in(); print(json.dumps(finished(upload())))"
# Signs in, uploads, says so in a file, and waits for the answer however long the fault takes.
UPLOAD_THEN_WAIT = """
    sign_in()
    job = upload()
    open(told["uploaded"], "w").close()
    ends, state = time.monotonic() + 150, "unknown"
    while time.monotonic() < ends and state not in ("succeeded", "failed", "cancelled"):
        time.sleep(1)
        try:
            state = call("GET", "/jobs/" + job)["state"]
        except Exception as error:
            if getattr(error, "response", None) is not None and error.response.status_code == 401:
                sign_in()  # the session went with Redis
    print(json.dumps(state))
"""


def test_killed_processes_come_back(rehearsal: Rehearsal, saw: Saw) -> None:
    hosts = rehearsal.hosts
    for host, unit in [("app", "api"), ("app", "worker"), ("app", "intake"), ("ml", "ml"), ("ui", "ui")]:
        hosts[host].run(f"systemctl kill --signal=KILL lightbox-{unit}.service")
    hosts["edge"].run("systemctl kill --signal=KILL lightbox-nginx.service")
    hosts["app"].run("systemctl kill --signal=KILL redis-server.service")
    _wait_until_serving(rehearsal)
    assert ask(rehearsal.site, CLASSIFY)["state"] == "succeeded"
    saw("seven services killed, all back")


def test_a_cut_link_loses_nothing(rehearsal: Rehearsal, saw: Saw) -> None:
    network = rehearsal.network
    assert _upload_during(rehearsal, lambda: network.cut("ml"), lambda: network.mend("ml")) == "succeeded"
    saw("uploaded while ML was cut off; answered afterwards")


def test_a_reboot_loses_nothing(rehearsal: Rehearsal, saw: Saw) -> None:
    app, network = rehearsal.hosts["app"], rehearsal.network

    def start_again() -> None:
        network.mend("ml")
        app.reboot()

    assert _upload_during(rehearsal, lambda: network.cut("ml"), start_again) == "succeeded"
    saw("a job that waited when the app host started again was answered")


def test_a_tier_out_of_memory_comes_back(rehearsal: Rehearsal, saw: Saw) -> None:
    ml = rehearsal.hosts["ml"]
    # The kernel may end the whole service or its one working process, which gunicorn then starts again.
    show = "pgrep --full --newest services/m[l]/"
    before = ml.run(show)
    ml.limit_memory(ml.memory() + 32 * 2**20)
    try:  # a greedy neighbour that the kernel may not choose; the largest of the others is the models' process
        # Files in memory go first; bytes that are not zero are really taken.
        size = ml.files_in_memory() + 160 * 2**20
        greedy = f"import time; held = bytes([1]) * {size}; time.sleep(5)"
        ml.run(f"systemd-run --quiet --wait --property=OOMScoreAdjust=-1000 python3 -c '{greedy}'", check=False)
    finally:
        ml.limit_memory(-1)
    _wait_until_serving(rehearsal)
    assert ml.run(show) != before
    assert ask(rehearsal.site, CLASSIFY)["state"] == "succeeded"
    saw("the kernel ended the models' process; it came back")


def _wait_until_serving(rehearsal: Rehearsal, within_s: float = 90) -> None:
    """Returns once every service runs again and the api says that it is ready, its dependencies among it."""
    units = {"edge": "lightbox-nginx", "ui": "lightbox-ui", "app": "lightbox-{api,worker,intake}", "ml": "lightbox-ml"}
    ready = "import urllib.request as u; u.urlopen('https://{name}:{port}/readyz', timeout=5)"
    probes = [("app", "localhost", 5000), ("ml", "localhost", 8000), ("ui", "127.0.0.1", 5001)]
    deadline = time.monotonic() + within_s
    while True:
        states = [rehearsal.hosts[host].run(f"systemctl is-active {unit}", check=False) for host, unit in units.items()]
        wrong = [state for state in " ".join(states).split() if state != "active"]
        for host, name, port in probes:
            asked = f'python3 -c "{ready.format(name=name, port=port)}" 2>&1 | tail -n 1'
            wrong += [text for text in [rehearsal.hosts[host].run(asked, check=False).strip()] if text]
        if not wrong:
            return
        assert time.monotonic() < deadline, wrong
        time.sleep(1)


def _upload_during(rehearsal: Rehearsal, fault: Callable[[], object], end: Callable[[], object]) -> str:
    """The state that a job ends in which was uploaded while `fault` held."""
    fault()
    uploaded = rehearsal.site.folder / "uploaded"
    uploaded.unlink(missing_ok=True)
    waiting = start(rehearsal.site, UPLOAD_THEN_WAIT, uploaded=str(uploaded))
    deadline = time.monotonic() + 60
    while not uploaded.exists() and waiting.poll() is None and time.monotonic() < deadline:
        time.sleep(0.2)
    end()
    return str(result(waiting, timeout_s=200))
