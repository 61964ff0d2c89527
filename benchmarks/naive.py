"""The design that Lightbox replaces, kept to measure against: `python -m benchmarks.naive PORT`.

One Flask process, one route, `model.predict` for every upload, the image sent back as base64: as in the multi-tier
pneumonia demo that calls itself system 003 in the comparison. It runs the very network and weights that Lightbox ships.
"""

import base64
import io
import sys
import time

import numpy as np
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from PIL import Image

from benchmarks.shipped import FOLDER, shipped
from ml_service import architectures
from ml_service.weights import load_into


def create_app() -> Flask:
    """POST /predict with a multipart `file` -> prediction, confidence, image."""
    manifest = shipped()
    model = architectures.build(manifest.architecture, manifest.params)
    load_into(model, FOLDER / "weights.npz")
    app = Flask(__name__)

    @app.post("/predict")
    def predict() -> ResponseReturnValue:
        upload = request.files["file"].read()
        film = Image.open(io.BytesIO(upload)).convert("L").resize((manifest.side, manifest.side))
        pixels = np.asarray(film, np.float32)[np.newaxis, :, :, np.newaxis] / 255
        logit = float(model.predict(pixels, verbose=0)["logits"][0, 0])
        probability = 1 / (1 + np.exp(-logit))
        return jsonify(
            prediction="Pneumonia" if probability > 0.5 else "Normal",
            confidence=f"{probability * 100:.2f}%",
            filename=request.files["file"].filename,
            image=base64.b64encode(upload).decode(),
            timestamp=time.strftime("%Y-%m-%d %H:%M:%S"),
        )

    return app


if __name__ == "__main__":
    create_app().run("127.0.0.1", int(sys.argv[1]), threaded=True)
