"""What the stand-in for App answers about models and their calibration to a site."""

from typing import Any

from flask import Flask, Response, jsonify, request

from portal_wire.contract import Model
from portal_wire.errors import Conflict, Unprocessable
from tests.ui_service.fake_answers import grey_png
from tests.ui_service.fake_server import known, wire

MODEL = Model.model_validate(
    {
        "name": "pneumonia",
        "title": "Pneumonia on chest X-rays",
        "task": "Pneumonia or not, on one frontal chest X-ray",
        "kind": "image",
        "modalities": ["DX", "CR"],
        "labels": ["pneumonia"],
        "negative_label": "normal",
        "active_version": "1",
        "limits": ["Adults: it has learned from children of one to five years.", "Lateral views."],
        "versions": [
            {
                "version": "1",
                "state": "active",
                "architecture": "house",
                "parameters": 1_234_567,
                "trained_at": "2026-11-21",
                "metrics": {
                    "test": {"auc": {"value": 0.981, "low": 0.972, "high": 0.989}, "n": 624},
                    "beside_baselines": {"as_they_are": {"this model": {"auc": 0.981, "accuracy": 0.94}}},
                    "readings": [
                        {"date": "2026-11-21T10:00:00", "version": "1", "auc": 0.981, "reason": "its release"}
                    ],
                },
                "card": "# Purpose\n\nA second look.\n\n<script>alert(1)</script>\n\n"
                "## Patients\n\nChildren of one hospital.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
                "plots": ["roc.png"],
            }
        ],
    }
)
LAYER = {"name": "stem", "kind": "Conv2D", "output": [96, 96, 16], "parameters": 400, "multiply_adds": 3_686_400}
NETWORK = {"architecture": "house", "input": [192, 192, 1], "parameters": 400, "multiply_adds": 3_686_400}


def outliner(name: str, kind: str = "image") -> Model:
    """A model that gives masks."""
    facts = {"name": name, "title": name, "kind": kind, "labels": ["right_lung", "left_lung"], "negative_label": None}
    return MODEL.model_copy(update=facts | {"task": name, "modalities": ["DX"] if kind == "image" else ["CT"]})


def versions(count: int) -> Model:
    """The model in so many versions, of which the first is in use."""
    (first,) = MODEL.versions
    sizes = {"weights_bytes": 2_400_000, "architecture": "cnn4"}
    more = [first.model_copy(update={"version": str(n), "state": "available"} | sizes) for n in range(2, count + 1)]
    return MODEL.model_copy(update={"versions": [first, *more]})


def site_fit_of(number: int, worse: tuple[str, ...] = ("sensitivity",)) -> dict[str, Any]:
    """A fit to the site, not in force."""
    scores = {name: {"value": 0.9, "low": 0.85, "high": 0.94} for name in ("accuracy", "sensitivity", "specificity")}
    scores |= {"ece": 0.053, "brier": 0.063, "uncertain_share": 0.1, "confusion": [[40, 5], [10, 60]]}
    bins = [{"said": 0.1, "came": 0.2, "share": 0.4}, {"said": 0.9, "came": 0.8, "share": 0.6}]
    before = scores | {"reliability": bins}
    evidence = {"n": 115, "classes": {"normal": 45, "pneumonia": 70}, "patients": 100, "folds": 5}
    after = before | {"ece": 0.029, "confusion": [[42, 3], [12, 58]]}
    after |= {"reliability": [{"said": 0.1, "came": 0.1, "share": 0.3}, {"said": 0.9, "came": 0.9, "share": 0.7}]}
    evidence |= {"before": before, "after": after, "worse": list(worse)}
    evidence |= {"ece_by_chance": {"mean": 0.034, "high": 0.05}}
    facts = {"id": f"fit-{number}", "source": "reviews", "created_by": "admin", "in_force": False}
    return facts | {"created_at": "2026-11-21T10:00:00Z", "parameters": {}, "evidence": evidence}


def equip(app: Flask, fake: Any) -> None:
    """Add the routes; `fake.models` holds the models."""

    @app.get("/v1/models")
    def models() -> Response:
        study = fake.studies.get(request.args.get("study_id", ""))
        suitable = [model for model in fake.models if study is None or study.modality in (*model.modalities, "OT")]
        return jsonify(items=[model.model_dump(mode="json") for model in suitable])

    @app.get("/v1/models/<name>")
    def model(name: str) -> Response:
        return wire(known({model.name: model for model in fake.models}, name))

    @app.get("/v1/models/<name>/versions/<version>/plots/<plot>")
    def plot(name: str, version: str, plot: str) -> Response:
        return Response(grey_png(64), mimetype="image/png")

    @app.get("/v1/models/<name>/versions/<version>/network")
    def network(name: str, version: str) -> Response:
        return jsonify(NETWORK | {"layers": [LAYER]})

    @app.patch("/v1/models/<name>/versions/<version>")
    def change_version(name: str, version: str) -> Response:
        body = request.get_json()
        (model,) = fake.models
        if body["instead_of"] != model.active_version:
            raise Conflict("Another version has been activated meanwhile. Please look again.", code="changed_meanwhile")
        fake.changes.append((version, body["state"]))
        return wire(model)

    equip_site(app, fake)


def equip_site(app: Flask, fake: Any) -> None:
    """Calibration to a site; `fake.site` holds its state."""

    @app.get("/v1/models/<name>/versions/<version>/site-calibration")
    def site_state(name: str, version: str) -> Response:
        return jsonify(fake.site)

    @app.post("/v1/models/<name>/versions/<version>/site-calibration")
    def site_fit(name: str, version: str) -> tuple[Response, int]:
        if min(fake.site["reviewed"].values()) < 30:
            raise Unprocessable("A fit needs 30 of each class. There are: normal 12.", code="too_few_cases")
        fake.site["fits"].insert(0, site_fit_of(len(fake.site["fits"])))
        return jsonify(fake.site), 201

    @app.put("/v1/models/<name>/versions/<version>/site-calibration")
    def choose_site(name: str, version: str) -> Response:
        wanted = request.get_json()["in_force"]
        fake.site["fits"] = [fit | {"in_force": fit["id"] == wanted} for fit in fake.site["fits"]]
        return jsonify(fake.site)
