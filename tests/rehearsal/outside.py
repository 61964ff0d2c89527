"""A doctor outside: speaks to the portal from the internet's namespace, through NGINX, over TLS."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from tests.rehearsal.network import namespace
from tests.rehearsal.playbooks import ORIGIN, Site

FILM = Path(__file__).resolve().parents[2] / "ml_service" / "models" / "pneumonia" / "1" / "golden" / "pneumonia.jpg"
# What every script below can use: `told`, and `call(method, path)`, signed in as the doctor.
_BEGINNING = """
import json, socket, sys, time
import requests
told = json.load(sys.stdin)
by_name = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: by_name(told["edge"], *rest, **more)  # no DNS in this namespace
http = requests.Session()
http.trust_env, http.verify = False, told["authority"]
def call(method, path, **options):
    answer = http.request(method, told["origin"] + "/api/v1" + path, timeout=60, **options)
    answer.raise_for_status()
    return answer.json()
def sign_in():
    http.headers.pop("Authorization", None)
    who = {"username": "doctor", "password": told["password"]}
    http.headers["Authorization"] = "Bearer " + call("POST", "/sessions", json=who)["token"]
def upload():
    with open(told["film"], "rb") as film:
        return call("POST", "/studies", files={"file": ("film.jpg", film)})["jobs"][0]["id"]
def finished(job, within_s=90):
    deadline = time.monotonic() + within_s
    while (answer := call("GET", "/jobs/" + job))["state"] in ("queued", "running") and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer
"""


def start(site: Site, body: str, **facts: Any) -> "subprocess.Popen[str]":
    """Starts `body`, a Python script; it prints its result as JSON."""
    told = {
        "edge": site.vpc.addresses["edge"],
        "origin": ORIGIN,
        "password": site.passwords["doctor"],
        "film": str(FILM),
    }
    told |= {"authority": str(site.authority)} | facts
    command = ["ip", "netns", "exec", namespace("internet"), sys.executable, "-c", _BEGINNING + textwrap.dedent(body)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin
    process.stdin.write(json.dumps(told))
    process.stdin.close()
    process.stdin = None  # communicate() would flush it
    return process


def result(process: "subprocess.Popen[str]", timeout_s: float = 180) -> Any:
    """What the script printed last. Raises AssertionError with its traceback when it failed."""
    output, errors = process.communicate(timeout=timeout_s)
    assert process.returncode == 0, errors[-3000:]
    return json.loads(output.splitlines()[-1])


def ask(site: Site, body: str, **facts: Any) -> Any:
    """Runs `body` outside and returns what it printed."""
    return result(start(site, body, **facts))
