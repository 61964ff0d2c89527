"""What breaks in a night: killed processes, a host that starts again, memory that runs out, a cable that is out."""

import time

from tests.rehearsal import network
from tests.rehearsal.conftest import Rehearsal
from tests.rehearsal.outside import ask, result, start

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


def test_killed_processes_come_back(rehearsal: Rehearsal) -> None:
    hosts = rehearsal.hosts
    for host, unit in [("app", "api"), ("app", "worker"), ("app", "intake"), ("ml", "ml"), ("ui", "ui")]:
        hosts[host].run(f"systemctl kill --signal=KILL lightbox-{unit}.service")
    hosts["edge"].run("systemctl kill --signal=KILL lightbox-nginx.service")
    hosts["app"].run("systemctl kill --signal=KILL redis-server.service")
    for _ in range(60):
        up = hosts["app"].run("systemctl is-active lightbox-{api,worker,intake}.service redis-server", check=False)
        if up.split() == ["active"] * 4:
            break
        time.sleep(1)
    hosts["edge"].run("systemctl is-active lightbox-nginx")
    time.sleep(3)
    assert ask(rehearsal.site, CLASSIFY)["state"] == "succeeded"


def test_a_cut_link_loses_nothing(rehearsal: Rehearsal) -> None:
    assert _upload_during(rehearsal, lambda: network.cut("ml"), lambda: network.mend("ml")) == "succeeded"


def test_a_reboot_loses_nothing(rehearsal: Rehearsal) -> None:
    app = rehearsal.hosts["app"]
    assert (
        _upload_during(rehearsal, lambda: network.cut("ml"), lambda: (network.mend("ml"), app.reboot())) == "succeeded"
    )


def test_a_tier_out_of_memory_comes_back(rehearsal: Rehearsal) -> None:
    ml = rehearsal.hosts["ml"]
    before = ml.run("systemctl show -p MainPID --value lightbox-ml").strip()
    ml.limit_memory(64 * 2**20)
    for _ in range(30):
        time.sleep(1)
        if ml.run("systemctl show -p MainPID --value lightbox-ml", check=False).strip() != before:
            break
    ml.limit_memory(-1)
    assert ask(rehearsal.site, CLASSIFY)["state"] == "succeeded"


def _upload_during(rehearsal: Rehearsal, fault: object, end: object) -> str:
    """The state that a job ends in which was uploaded while `fault` held."""
    fault()  # type: ignore[operator]
    uploaded = rehearsal.site.folder / "uploaded"
    uploaded.unlink(missing_ok=True)
    waiting = start(rehearsal.site, UPLOAD_THEN_WAIT, uploaded=str(uploaded))
    deadline = time.monotonic() + 60
    while not uploaded.exists() and waiting.poll() is None and time.monotonic() < deadline:
        time.sleep(0.2)
    end()  # type: ignore[operator]
    return str(result(waiting, timeout_s=200))
