"""A real X-ray through the whole portal, from outside."""

from tests.rehearsal.browser import classify
from tests.rehearsal.conftest import Saw
from tests.rehearsal.outside import ask
from tests.rehearsal.stage import Rehearsal

# Where Grafana would listen; it says what it was asked.
STAND_IN = """
import http.server, json, ssl
class Said(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps([self.path, self.headers["Cookie"]]).encode())
server = http.server.ThreadingHTTPServer(("0.0.0.0", 3000), Said)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain("/etc/lightbox/tls/chain.pem", "/etc/lightbox/tls/key.pem")
server.socket = tls.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""
TO_GRAFANA = """
    import re
    if told["who"]:
        page = http.get(told["origin"] + "/sign-in", timeout=30).text
        form = {"csrf_token": re.search('name="csrf_token" value="([^"]+)"', page)[1], "next": "", "otp": ""}
        form |= {"username": told["who"], "password": told["secret"]}
        answer = http.post(told["origin"] + "/sign-in", data=form, headers={"Origin": told["origin"]}, timeout=30)
        answer.raise_for_status()
    answer = http.get(told["origin"] + "/grafana/login", allow_redirects=False, timeout=30)
    print(json.dumps([answer.status_code, *(answer.json() if answer.ok and told["who"] == "admin" else [])]))
"""


def test_plain_http_only_redirects(rehearsal: Rehearsal, saw: Saw) -> None:
    answer = ask(
        rehearsal.site,
        """
        answer = http.get("http://lightbox.example/", allow_redirects=False, timeout=10)
        print(json.dumps([answer.status_code, answer.headers["Location"]]))
        """,
    )
    assert answer == [308, "https://lightbox.example/"]
    saw("308 to https://")


def test_pages_come_and_metrics_do_not(rehearsal: Rehearsal, saw: Saw) -> None:
    statuses = ask(
        rehearsal.site,
        """
        paths = ("/sign-in", "/static/samples/", "/metrics", "/readyz", "/api/metrics")
        print(json.dumps([http.get(told["origin"] + path, timeout=10).status_code for path in paths]))
        """,
    )
    assert statuses[0] == 200
    assert statuses[2:] == [404, 404, 404]
    saw("metrics and readiness: 404")


def test_grafana_is_behind_the_portals_sign_in(rehearsal: Rehearsal, saw: Saw) -> None:
    monitoring = rehearsal.hosts["monitoring"]
    monitoring.run(f"cat > /root/stand_in.py <<'END'\n{STAND_IN}\nEND")
    monitoring.run("systemd-run --quiet --unit=stand-in --service-type=exec python3 /root/stand_in.py")
    passwords = {"": ""} | rehearsal.site.passwords
    try:
        seen = {who: ask(rehearsal.site, TO_GRAFANA, who=who, secret=passwords[who]) for who in passwords}
    finally:
        monitoring.run("systemctl stop stand-in")
    assert seen[""][0] == 303 and seen["doctor"][0] == 403, seen
    assert seen["admin"] == [200, "/grafana/login", "grafana_session=; grafana_session_expiry="]
    saw("a stand-in: a stranger is sent to sign in, a doctor is refused, an administrator passes; no cookie of ours")


def test_an_x_ray_is_classified(rehearsal: Rehearsal, saw: Saw) -> None:
    job = ask(rehearsal.site, "sign_in(); print(json.dumps(finished(upload())))")
    assert job["state"] == "succeeded", job
    assert {finding["label"] for finding in job["result"]["findings"]} == {"pneumonia"}, job
    saw(f"pneumonia with a probability of {job['result']['findings'][0]['probability']:.2f}")


def test_a_browser_classifies_it(rehearsal: Rehearsal, saw: Saw) -> None:
    answer, complaints = classify(rehearsal.site, rehearsal.site.folder / "answer.png")
    assert complaints == []
    saw(f"Chromium on the internet read: {answer}")
