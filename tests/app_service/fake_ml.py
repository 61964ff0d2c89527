"""A stand-in for the ML tier that a test can make slow, wrong or absent."""

import json
import struct
import threading
import time
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

LAYER = {"name": "dense", "kind": "Dense", "output": [1], "parameters": 3, "multiply_adds": 2}
NETWORK = {"architecture": "fake", "input": [1, 2, 1], "parameters": 3, "multiply_adds": 2, "layers": [LAYER]}
FEWEST = 2  # cases of each class that a fit takes
SITES = {"scale": 0.5, "offset": -1.0, "operating_point": 0.4, "uncertain_band": [0.3, 0.5]}
EVIDENCE = {"classes": {"normal": 2, "pneumonia": 3}, "patients": 5, "folds": 5, "worse": ["accuracy"]}
UNSEEN = "not loaded yet"
PNG = b"\x89PNG\r\n\x1a\nheat"


def findings(probability: float = 0.9) -> dict[str, Any]:
    return {
        "label": "pneumonia",
        "findings": [{"label": "pneumonia", "probability": probability, "threshold": 0.5, "positive": True}],
        "calibrated": True,
        "uncertain_band": [0.4, 0.6],
        "calibrated_for": "shipped",
        "logits": [2.0],
        "in_distribution": True,
        "ood_score": 1.0,
        "warnings": [],
        "timings_s": {"prepare": 0.01, "network": 0.02, "interpret": 0.001},
    }


def model_card(faults: dict[str, str | None]) -> dict[str, Any]:
    """The model with the versions that `faults` names, and why each is not ready."""
    common = {"architecture": "fake", "parameters": 1, "trained_at": None}
    common |= {"metrics": {}, "card": "# Fake", "plots": ["roc.png"]}
    versions = [
        common | {"version": name, "not_ready": None if fault == UNSEEN else fault} for name, fault in faults.items()
    ]
    facts = {"name": "pneumonia", "title": "Pneumonia", "task": "pneumonia", "kind": "image", "modalities": ["DX"]}
    facts |= {"labels": ["pneumonia"], "negative_label": "normal", "active_version": "1", "limits": []}
    return facts | {"versions": versions}


class FakeMl:
    """`said`, `status` and `delay_s` shape the answers; `asked` counts the inferences."""

    def __init__(self) -> None:
        self.said: Any = findings()
        self.status, self.delay_s, self.asked = 200, 0.0, 0
        self.heatmap = PNG
        self.versions: dict[str, str | None] = {"1": None, "2": UNSEEN}  # why each is not ready
        self.said_by: dict[str, Any] = {}  # by version; `said` for the others
        self.delays: dict[str, float] = {}  # seconds by version; `delay_s` for the others
        self.calibrations: list[Any] = []  # that inferences came with
        self.cases: list[dict[str, Any]] = []  # that fits were asked for
        self.managed: list[str] = []  # "load 1", "unload 2"
        self._server: Any = None
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._server = make_server("127.0.0.1", self.port, self._app(), threaded=True)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _app(self) -> Flask:
        app = Flask(__name__)
        app.add_url_rule("/v2/health/ready", "ready", lambda: Response(status=200))
        app.add_url_rule("/v2/repository/index", "index", self._index, methods=["POST"])
        app.add_url_rule("/v2/models/<name>/card", "card", lambda name: jsonify(model_card(self.versions)))
        app.add_url_rule("/v2/repository/models/<name>/load", "load", self._load, methods=["POST"])
        app.add_url_rule("/v2/repository/models/<name>/unload", "unload", self._unload, methods=["POST"])
        app.add_url_rule("/v2/models/<name>/versions/<version>/plots/<plot>", "plot", lambda **_: Response(PNG))
        app.add_url_rule("/v2/models/<name>/versions/<version>/network", "network", lambda **_: jsonify(NETWORK))
        path = "/v2/models/<name>/versions/<version>/calibrate"
        app.add_url_rule(path, "calibrate", self._calibrate, methods=["POST"])
        path = "/v2/models/<name>/versions/<version>/infer"
        app.add_url_rule(path, "infer", self._infer, methods=["POST"])
        return app

    def _infer(self, name: str, version: str) -> Response:
        self.asked += 1
        body = request.get_data()
        status, said = self.status, self.said
        time.sleep(self.delays.get(version, self.delay_s))
        if status != 200:
            error = {
                "error": "This study cannot be read.",
                "detail": "This study cannot be read.",
                "code": "undecodable",
            }
            return Response(json.dumps(error), status, content_type="application/json")
        head = json.loads(body[: int(request.headers["Inference-Header-Content-Length"])])
        names = [item["name"] for item in head["outputs"]]
        answered = self.said_by.get(version, said)
        if "calibration" in head.get("parameters", {}):
            self.calibrations.append(json.loads(head["parameters"]["calibration"]))
            answered = answered | {"calibrated_for": "site"}
        texts = {"findings": json.dumps(answered).encode(), "heatmap": self.heatmap}
        blobs = [struct.pack("<I", len(texts[item])) + texts[item] for item in names]
        outputs = [
            {"name": item, "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(blob)}}
            for item, blob in zip(names, blobs, strict=True)
        ]
        facts = json.dumps({"model_name": name, "model_version": version, "outputs": outputs}).encode()
        headers = {"Inference-Header-Content-Length": str(len(facts))}
        return Response(facts + b"".join(blobs), headers=headers, content_type="application/octet-stream")

    def _calibrate(self, name: str, version: str) -> Response:
        cases = request.get_json()
        self.cases.append(cases)
        numbers = [cases["classes"].count(number) for number in (0, 1)]
        if min(numbers) < FEWEST:
            problem = {"detail": f"At least {FEWEST} of each class; there are {numbers}.", "code": "too_few_cases"}
            return Response(json.dumps(problem), 422, content_type="application/problem+json")
        return jsonify(calibration=SITES, evidence=EVIDENCE | {"n": sum(numbers)})

    def _index(self) -> Response:
        states = {version: "UNAVAILABLE" if fault else "READY" for version, fault in self.versions.items()}
        entries = [{"name": "pneumonia", "version": version, "state": state} for version, state in states.items()]
        return jsonify(entries)

    def _load(self, name: str) -> Response:
        config = json.loads(request.get_json()["parameters"]["config"])
        (version,) = config["version_policy"]["specific"]["versions"]
        self.managed.append(f"load {version}")
        if fault := self.versions[version]:
            problem = {"detail": f"This model is not ready: {fault}.", "code": "model_not_ready"}
            return Response(json.dumps(problem), 503, content_type="application/problem+json")
        return Response(status=200)

    def _unload(self, name: str) -> Response:
        self.managed.append(f"unload {request.get_json()['parameters']['version']}")
        return Response(status=200)
