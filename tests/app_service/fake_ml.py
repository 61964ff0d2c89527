"""A stand-in for the ML tier that a test can make slow, wrong or absent."""

import gzip
import json
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

import cv2
import nibabel as nib
import numpy as np
from flask import Flask, Response, jsonify, request
from numpy.typing import NDArray
from werkzeug.serving import make_server

from tests.app_service.fake_prompted import BOX_PROMPT, FakePrompted, prompted_card

LAYER = {"name": "dense", "kind": "Dense", "output": [1], "parameters": 3, "multiply_adds": 2}
NETWORK = {"architecture": "fake", "input": [1, 2, 1], "parameters": 3, "multiply_adds": 2, "layers": [LAYER]}
FEWEST = 2  # cases of each class that a fit takes
SITES = {"scale": 0.5, "offset": -1.0, "operating_point": 0.4, "uncertain_band": [0.3, 0.5]}
EVIDENCE = {"classes": {"normal": 2, "pneumonia": 3}, "patients": 5, "folds": 5, "worse": ["accuracy"]}
UNSEEN = "not loaded yet"
SHA256 = "ab" * 32  # of each version's model.json
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
    common |= {"sha256": SHA256, "metrics": {}, "card": "# Fake", "plots": ["roc.png"]}
    versions = [
        common | {"version": name, "not_ready": None if fault == UNSEEN else fault} for name, fault in faults.items()
    ]
    facts = {"name": "pneumonia", "title": "Pneumonia", "task": "pneumonia", "kind": "image", "modalities": ["DX"]}
    facts |= {"labels": ["pneumonia"], "negative_label": "normal", "active_version": "1", "limits": []}
    return facts | {"versions": versions}


OUTLINERS: dict[str, dict[str, Any]] = {
    "lung-field": {"kind": "image", "modalities": ["DX"], "labels": ["right_lung", "left_lung"]},
    "ct-tissue": {"kind": "volume", "modalities": ["CT"], "labels": ["dense", "fat"]},
}


def outliner_card(name: str) -> dict[str, Any]:
    """A model that outlines structures."""
    return (
        model_card({"1": None})
        | OUTLINERS[name]
        | {"name": name, "title": name, "task": name}
        | {"negative_label": None}
    )


def outlined_picture(study: bytes) -> NDArray[np.uint8]:
    """The label map that the stand-in gives: what is bright is the right lung left of the middle, else the left one."""
    pixels = cv2.imdecode(np.frombuffer(study, np.uint8), cv2.IMREAD_GRAYSCALE)
    sides = np.where(np.arange(pixels.shape[1]) < pixels.shape[1] // 2, 1, 2)
    return ((pixels > 200) * sides).astype(np.uint8)


def outlined_volume(study: bytes) -> "nib.Nifti1Image":
    volume = nib.Nifti1Image.from_bytes(gzip.decompress(study))
    values = np.asarray(volume.dataobj)
    return nib.Nifti1Image(((values > 100) + 2 * (values < -50)).astype(np.uint8), volume.affine)


def measured(name: str, mask: NDArray[np.uint8], spacing_mm: list[float] | None) -> list[dict[str, Any]]:
    """By the contract: every key, and None where it does not apply."""
    found = []
    for index, label in enumerate(OUTLINERS[name]["labels"], 1):
        count = int((mask == index).sum())
        sizes: dict[str, Any] = dict.fromkeys(("pixels", "voxels", "area_mm2", "volume_ml", "mean_hu"))
        if OUTLINERS[name]["kind"] == "image":
            area = count * spacing_mm[0] * spacing_mm[1] if spacing_mm else None
            sizes |= {"pixels": count, "area_mm2": area}
        else:
            sizes |= {"voxels": count, "volume_ml": count / 1000, "mean_hu": 12.5}
        found.append({"label": label, "index": index, "share": count / mask.size} | sizes)
    return found


def segmented(measurements: list[dict[str, Any]]) -> dict[str, Any]:
    """The findings of a model that gives masks."""
    of_masks = {"label": "segmented", "findings": [], "calibrated": False, "logits": None, "uncertain_band": None}
    return findings() | of_masks | {"measurements": measurements}


class FakeMl:
    """`said`, `status` and `delay_s` shape the answers; `asked` counts the inferences."""

    def __init__(self) -> None:
        self.said: Any = findings()
        self.status, self.delay_s, self.asked = 200, 0.0, 0
        self.code = "undecodable"  # of a status other than 200
        self.hangs = False  # `delay_s` holds for the whole tier, not for inference alone
        self.heatmap = PNG
        self.versions: dict[str, str | None] = {"1": None, "2": UNSEEN}  # why each is not ready
        self.said_by: dict[str, Any] = {}  # by version; `said` for the others
        self.delays: dict[str, float] = {}  # seconds by version; `delay_s` for the others
        self.calibrations: list[Any] = []  # that inferences came with
        self.cases: list[dict[str, Any]] = []  # that fits were asked for
        self.managed: list[str] = []  # "load 1", "unload 2"
        self.outlines = False  # serves OUTLINERS too
        self.spoil: Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]] = lambda said, mask: (said, mask)
        self.prompted: FakePrompted | None = None  # serves box-prompt too
        self.spacings: list[Any] = []  # that masks were asked for with
        self.steps, self.step_s = 0, 0.1  # a question then takes so many steps, tells how far it is, can be called off
        self.done: dict[str, int] = {}  # steps of each question that runs, by its id
        self.called_off: list[str] = []
        self.looked = 0  # how often it was asked how far a question is
        self.silent = False  # it fails to tell
        self.in_use = 0  # so many inferences are told that their id is in use
        self.ids: list[str | None] = []  # that inferences came with
        self.offers_fast = False  # of volumes
        self.fast: list[bool] = []  # whether masks were asked for so
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
        app.add_url_rule("/v2/health/live", "live", self._live)
        app.add_url_rule("/v2/repository/index", "index", self._index, methods=["POST"])
        app.add_url_rule("/v2/models/<name>/card", "card", self._card)
        app.add_url_rule("/v2/repository/models/<name>/load", "load", self._load, methods=["POST"])
        app.add_url_rule("/v2/repository/models/<name>/unload", "unload", self._unload, methods=["POST"])
        app.add_url_rule("/v2/models/<name>/versions/<version>/plots/<plot>", "plot", lambda **_: Response(PNG))
        app.add_url_rule("/v2/models/<name>/versions/<version>/network", "network", lambda **_: jsonify(NETWORK))
        app.add_url_rule("/v2/requests/<name>", "progress", self._progress)
        app.add_url_rule("/v2/requests/<name>", "call_off", self._call_off, methods=["DELETE"])
        path = "/v2/models/<name>/versions/<version>/calibrate"
        app.add_url_rule(path, "calibrate", self._calibrate, methods=["POST"])
        path = "/v2/models/<name>/versions/<version>/infer"
        app.add_url_rule(path, "infer", self._infer, methods=["POST"])
        return app

    def _live(self) -> Response:
        time.sleep(self.delay_s if self.hangs else 0)
        return Response(status=200)

    def _infer(self, name: str, version: str) -> Response:
        self.asked += 1
        body = request.get_data()
        status, said = self.status, self.said
        time.sleep(self.delays.get(version, self.delay_s))
        if status != 200:
            error = {
                "error": "This study cannot be read.",
                "detail": "This study cannot be read.",
                "code": self.code,
            }
            return Response(json.dumps(error), status, content_type="application/json")
        head = json.loads(body[: int(request.headers["Inference-Header-Content-Length"])])
        self.ids.append(head.get("id"))
        if self.in_use:
            self.in_use -= 1
            problem = {"detail": "A request with this id is running.", "code": "id_in_use"}
            return Response(json.dumps(problem), 409, content_type="application/problem+json")
        if self.steps and not self._stepped(head["id"]):
            problem = {"detail": "This request was called off.", "code": "cancelled"}
            return Response(json.dumps(problem), 409, content_type="application/problem+json")
        names = [item["name"] for item in head["outputs"]]
        answered = self.said_by.get(version, said)
        if "calibration" in head.get("parameters", {}):
            self.calibrations.append(json.loads(head["parameters"]["calibration"]))
            answered = answered | {"calibrated_for": "site"}
        texts = {"findings": json.dumps(answered).encode(), "heatmap": self.heatmap}
        if name in OUTLINERS:
            texts = self._outline(name, head, body)
        if name == BOX_PROMPT:
            assert self.prompted
            rest = body[int(request.headers["Inference-Header-Content-Length"]) :]
            try:
                texts = self.prompted.answer(head, rest, self._said)
            except KeyError:
                error = {"detail": "This study is not held any more.", "code": "study_not_held"}
                return Response(json.dumps(error), 409, content_type="application/problem+json")
        blobs = [struct.pack("<I", len(texts[item])) + texts[item] for item in names]
        outputs = [
            {"name": item, "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(blob)}}
            for item, blob in zip(names, blobs, strict=True)
        ]
        facts = json.dumps({"model_name": name, "model_version": version, "outputs": outputs}).encode()
        headers = {"Inference-Header-Content-Length": str(len(facts))}
        return Response(facts + b"".join(blobs), headers=headers, content_type="application/octet-stream")

    def _stepped(self, name: str) -> bool:
        """True at the end, False when called off."""
        self.done[name] = 0
        try:
            while self.done[name] < self.steps and name not in self.called_off:
                time.sleep(self.step_s)
                self.done[name] += 1
        finally:
            steps = self.done.pop(name)
        return steps == self.steps

    def _progress(self, name: str) -> Response:
        self.looked += 1
        if self.silent or name not in self.done:
            return Response("{}", 500 if self.silent else 404, content_type="application/problem+json")
        return jsonify(progress=self.done[name] / self.steps)

    def _call_off(self, name: str) -> Response:
        if name not in self.done:
            return Response("{}", 404, content_type="application/problem+json")
        self.called_off.append(name)
        return Response(status=204)

    def _outline(self, name: str, head: dict[str, Any], body: bytes) -> dict[str, bytes]:
        study = body[int(request.headers["Inference-Header-Content-Length"]) + 4 :]
        spacing = json.loads(head.get("parameters", {}).get("spacing_mm", "null"))
        self.spacings.append(spacing)
        self.fast.append(head.get("parameters", {}).get("fast", False))
        if OUTLINERS[name]["kind"] == "image":
            mask = outlined_picture(study)
            packed = bytes(cv2.imencode(".png", mask)[1])
        else:
            volume = outlined_volume(study)
            mask, packed = np.asarray(volume.dataobj), gzip.compress(volume.to_bytes())
        return self._said(measured(name, mask, spacing), packed)

    def _said(self, measurements: list[dict[str, Any]], packed: bytes) -> dict[str, bytes]:
        said, sent = self.spoil(segmented(measurements), packed)
        return {"findings": json.dumps(said).encode(), "mask": sent}

    def _card(self, name: str) -> Response:
        if name == BOX_PROMPT:
            return jsonify(prompted_card(model_card({"1": None})))
        if name in OUTLINERS:
            return jsonify(outliner_card(name) | {"fast": self.offers_fast and OUTLINERS[name]["kind"] == "volume"})
        return jsonify(model_card(self.versions))

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
        entries += [{"name": name, "version": "1", "state": "READY"} for name in OUTLINERS if self.outlines]
        entries += [{"name": BOX_PROMPT, "version": "1", "state": "READY"}] if self.prompted else []
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
