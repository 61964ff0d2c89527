"""Both ends together, over a real socket: ids, errors, tokens, metrics, readiness, silence about secrets."""

import json
import threading
from collections.abc import Iterator

import pytest
from flask import Flask, Response, request
from werkzeug.serving import make_server

from portal_wire.errors import Conflict, Internal, NotFound, Unauthenticated, Unavailable
from portal_wire.http_client import ServiceClient, current_request_id
from portal_wire.http_server import equip
from portal_wire.logs import JsonLines

trouble: dict[str, str | None] = {"database": None}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    app = Flask(__name__)
    equip(app, "wiretest", ready=lambda: trouble, service_token="right")

    @app.get("/echo/<patient>")
    def echo(patient: str) -> Response:
        return Response(request.headers.get("X-Request-ID", "none"), headers={"Set-Cookie": "a=b"})

    @app.get("/conflict")
    def conflict() -> Response:
        raise Conflict("This job is already done.", code="job_done", retry_after_s=3)

    @app.get("/bug")
    def bug() -> Response:
        raise RuntimeError("Doe^John at /srv/data")

    @app.get("/full")
    def full() -> Response:
        raise MemoryError("of Doe^John's film")

    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def client(address: str) -> ServiceClient:
    return ServiceClient(address, "right")


def test_the_request_id_travels_on_and_comes_back(client: ServiceClient) -> None:
    token = current_request_id.set("0190-1234-abcd")
    response = client.request("GET", "/echo/x")
    current_request_id.reset(token)
    assert response.text == response.headers["X-Request-ID"] == "0190-1234-abcd"


def test_a_hostile_request_id_is_replaced(client: ServiceClient) -> None:
    response = client.request("GET", "/echo/x", headers={"X-Request-ID": '"}{"forged":'})
    assert "forged" not in response.headers["X-Request-ID"]


def test_an_error_is_raised_again_by_the_caller(client: ServiceClient) -> None:
    with pytest.raises(Conflict, match="already done") as caught:
        client.request("GET", "/conflict")
    assert (caught.value.code, caught.value.retry_after_s) == ("job_done", 3)


def test_an_unknown_path_is_problem_json(client: ServiceClient) -> None:
    with pytest.raises(NotFound):
        client.request("GET", "/nowhere")


def test_a_bug_tells_the_caller_and_the_log_nothing_private(
    client: ServiceClient, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Internal) as caught:
        client.request("GET", "/bug")
    log = _written(caplog)
    assert "RuntimeError" in log
    assert "Doe" not in caught.value.detail + log and "/srv" not in caught.value.detail + log


def test_what_finds_no_memory_is_to_be_asked_again(client: ServiceClient, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Unavailable, match="no memory") as caught:
        client.request("GET", "/full")
    assert (caught.value.code, caught.value.retry_after_s) == ("no_memory", 5)
    assert "MemoryError" in (log := _written(caplog)) and "Doe" not in log


def test_a_caller_without_the_service_token_is_turned_away(address: str) -> None:
    for token in ("", "wrong"):
        with pytest.raises(Unauthenticated):
            ServiceClient(address, token).request("GET", "/echo/x")


def test_probes_need_no_token_and_readiness_names_what_is_wrong(address: str) -> None:
    anyone = ServiceClient(address, "")
    assert anyone.request("GET", "/healthz").ok
    assert anyone.request("GET", "/readyz").json() == {"status": "ready", "dependencies": {"database": None}}
    trouble["database"] = "does not answer"
    try:
        with pytest.raises(Unavailable):
            anyone.request("GET", "/readyz")
    finally:
        trouble["database"] = None


def test_metrics_are_labelled_by_route_template_never_by_value(client: ServiceClient) -> None:
    client.request("GET", "/echo/Doe-John")
    metrics = client.request("GET", "/metrics").text
    assert 'route="/echo/<patient>"' in metrics
    assert "Doe" not in metrics


def test_each_request_is_one_json_line_without_its_path(
    client: ServiceClient, caplog: pytest.LogCaptureFixture
) -> None:
    client.request("GET", "/echo/Doe-John?token=t0k3n")
    log = _written(caplog)
    facts = json.loads(log.splitlines()[-1])
    assert facts["route"] == "/echo/<patient>" and facts["status"] == 200
    assert "Doe" not in log and "t0k3n" not in log


def _written(caplog: pytest.LogCaptureFixture) -> str:
    ours = [record for record in caplog.records if record.name.startswith("lightbox")]
    return "\n".join(JsonLines().format(record) for record in ours)


def test_the_client_keeps_no_cookies(client: ServiceClient) -> None:
    client.request("GET", "/echo/x")
    assert not client._session.cookies


def test_a_service_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        ServiceClient("http://127.0.0.1:9", "t").request("GET", "/")
