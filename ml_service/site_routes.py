"""Fitting a site's calibration: images' logits and classes in, parameters and evidence out. Nothing is kept here; who
asks sends the parameters along with a request for inference when they are to count."""

import numpy as np
from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ml_service import manifest as manifests
from ml_service import site
from ml_service.manifest import Manifest
from ml_service.repository import registry
from portal_wire.errors import BadRequest, NotFound, Unprocessable

site_routes = Blueprint("site", __name__, url_prefix="/v2")
MOST = 100_000  # images


class Cases(BaseModel):
    """Images in any order: each one's logits, the number of its class (0 is the negative one) and of its patient."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    logits: list[list[float]] = Field(min_length=1, max_length=MOST)
    classes: list[int]
    patients: list[int]


@site_routes.post("/models/<name>/versions/<version>/calibrate")
def calibrate(name: str, version: str) -> Response:
    """Fits one version to one site; see `ml_service/site.py`."""
    if (name, version) not in registry().on_disk():
        raise NotFound("There is no such version of this model.", code="unknown_model")
    manifest = manifests.read_any(registry().settings.model_dir / name / version)
    if not isinstance(manifest, Manifest) or manifest.outlines:
        raise Unprocessable("This model outlines, and has no probability to calibrate.", code="no_fit")
    try:
        cases = Cases.model_validate_json(request.get_data(cache=False))
    except ValidationError as error:
        fields = sorted({str(fault["loc"][0]) for fault in error.errors() if fault["loc"]})
        raise BadRequest(f"Expected logits, classes and patients. Wrong: {', '.join(fields) or 'the JSON'}.") from None
    count, labels, names = len(cases.logits), len(manifest.labels), manifest.classes
    if {len(row) for row in cases.logits} != {labels} or {len(cases.classes), len(cases.patients)} != {count}:
        raise BadRequest(f"Expected {labels} logits, a class and a patient for each image.")
    if not all(0 <= number < len(names) for number in cases.classes):
        raise BadRequest(f"Expected classes from 0 to {len(names) - 1}.")
    logits, classes = np.array(cases.logits), np.array(cases.classes, np.int64)
    try:
        fit, evidence = site.fitted(logits, classes, cases.patients, manifest.calibration, names)
    except site.TooFew as error:
        raise Unprocessable(str(error), code="too_few_cases") from None
    except ValueError as error:
        raise Unprocessable(str(error), code="no_fit") from None
    return jsonify(calibration=fit.model_dump(mode="json"), evidence=evidence)
