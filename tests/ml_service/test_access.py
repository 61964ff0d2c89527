"""Nobody without the service's token is answered, whatever the route: requests that App made, sent again without it."""

import requests
from flask import Flask

from ml_service.repository import repository
from ml_service.routes import routes
from ml_service.settings import SHIPPED
from ml_service.site_routes import site_routes
from tests.ml_service.server import TOKEN

FILM = (SHIPPED / "pneumonia" / "1" / "golden" / "pneumonia.jpg").read_bytes()
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
WRONG = ("", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "Bearer " + TOKEN)
OPEN = {"/healthz", "/readyz", "/metrics"}


def paths() -> set[str]:
    """Every address of the tier's interface, its parts filled in."""
    app = Flask("routes", static_folder=None)
    for blueprint in (routes, repository, site_routes):
        app.register_blueprint(blueprint)
    adapter = app.url_map.bind("")
    values = {"name": "pneumonia", "version": "1"}
    return {
        adapter.build(rule.endpoint, {name: values.get(name, "x") for name in rule.arguments})
        for rule in app.url_map.iter_rules()
    }


def test_every_route_and_method_asks_for_the_token(small_tier: str) -> None:
    known = paths()
    assert len(known) >= 14
    for path in known:
        for method in METHODS:
            answer = requests.request(method, f"http://{small_tier}{path}", timeout=30)
            assert answer.status_code == 401 and answer.json()["code"] == "service_token", (method, path)


def test_a_request_sent_again_without_its_token_or_with_another_is_refused(small_tier: str) -> None:
    with requests.Session() as session:
        address = f"http://{small_tier}/v2/models/pneumonia/infer"
        head = b'{"inputs":[{"name":"study","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":%d}}]}'
        tensor = len(FILM).to_bytes(4, "little") + FILM
        head %= len(tensor)
        asked = requests.Request("POST", address, data=head + tensor, headers={"X-Service-Token": TOKEN})
        asked.headers["Inference-Header-Content-Length"] = str(len(head))
        request = session.prepare_request(asked)
        assert session.send(request, timeout=60).status_code == 200
        for wrong in WRONG:
            request.headers["X-Service-Token"] = wrong
            assert session.send(request, timeout=60).status_code == 401
        del request.headers["X-Service-Token"]
        assert session.send(request, timeout=60).status_code == 401
        request.headers["Authorization"] = f"Bearer {TOKEN}"
        assert session.send(request, timeout=60).status_code == 401


def test_what_is_open_says_nothing_of_models_to_a_stranger(small_tier: str) -> None:
    for path in OPEN:
        assert requests.get(f"http://{small_tier}{path}", timeout=30).status_code == 200
    for path in (path + end for path in OPEN for end in ("/", "x", "/..;/v2", "%2f..%2fv2")):
        assert requests.get(f"http://{small_tier}{path}", timeout=30).status_code == 401
