"""Assembles the ML tier."""

import os
import threading

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's start-up notes are not JSON lines
# NumPy multiplies nothing here that is worth a second thread, which OpenBLAS would keep spinning after each product.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
from flask import Flask

from ml_service import engines
from ml_service.callers import Callers
from ml_service.registry import Registry
from ml_service.repository import repository
from ml_service.routes import routes
from ml_service.running import Running
from ml_service.settings import Settings
from ml_service.site_routes import site_routes
from portal_wire.http_server import equip

LARGEST_BODY = 256 * 2**20  # bytes; whoever uploads has been limited long before


def create_app(settings: Settings | None = None) -> Flask:
    """Returns the application. Models load behind it: it is alive at once and ready when all have passed."""
    settings = settings or Settings.from_environment()
    look_further = None
    if settings.model_store_url:
        from ml_service.model_store import ModelStore  # obstore is loaded only where it is used

        store = ModelStore(settings.model_store_url, settings.model_dir)
        store.fetch()
        store.keep_fetching()
        look_further = store.look
    cv2.setNumThreads(1)  # many requests at once use the cores already; OpenCV's own threads would wait by spinning
    registry = Registry(settings, look_further)
    engines.settle(settings.engine, settings.model_dir)
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.extensions["registry"] = registry
    app.extensions["running"] = Running()
    app.extensions["callers"] = Callers()
    equip(app, "ml", ready=registry.readiness, service_token=settings.service_token)
    app.register_blueprint(routes)
    app.register_blueprint(repository)
    app.register_blueprint(site_routes)
    threading.Thread(target=registry.load_all, name="load-models", daemon=True).start()
    return app
