"""Examples for python.yml: what follows `ruleid` must be found, what follows `ok` must not. Nothing imports this."""

# ruleid: runs-code-from-a-file
import pickle
import logging
import os
import random
import secrets
import ssl
import subprocess
import tarfile
import zipfile

import flask
import joblib
import keras
import markupsafe
import numpy as np
import requests
import torch
import yaml

_LOG = logging.getLogger(__name__)


def files(path, ds, file):
    # ruleid: runs-code-from-a-file
    keras.models.load_model(path)
    # ruleid: runs-code-from-a-file
    torch.load(path)
    # ok: runs-code-from-a-file
    torch.load(path, map_location="cpu", weights_only=True)
    # ruleid: runs-code-from-a-file
    np.load(path, allow_pickle=True)
    # ok: runs-code-from-a-file
    np.load(path, allow_pickle=False)
    # ruleid: runs-code-from-a-file
    yaml.load(file)
    # ok: runs-code-from-a-file
    yaml.safe_load(file)
    # ruleid: runs-code-from-a-file
    joblib.load(path)


def text(words, network):
    # ruleid: runs-text
    eval(words)
    # ruleid: runs-text
    exec(words)
    # ok: runs-text
    network.eval()
    # ruleid: runs-text
    os.system(words)
    # ruleid: runs-text
    subprocess.run(words, shell=True)
    # ok: runs-text
    subprocess.run(["ls", words])
    # ruleid: runs-text
    flask.render_template_string(words)
    # ok: runs-text
    flask.render_template("page.html", words=words)


def dicom(ds, study):
    # ruleid: dataset-as-text
    str(ds)
    # ruleid: dataset-as-text
    f"{ds}"
    # ok: dataset-as-text
    str(study)


def page(words):
    # ruleid: markup
    markupsafe.Markup(words)
    # ok: markup
    markupsafe.escape(words)


def asks(url, session):
    # ruleid: no-timeout
    requests.get(url)
    # ok: no-timeout
    requests.get(url, timeout=5)
    # ruleid: no-certificate-check
    requests.post(url, timeout=5, verify=False)
    # ok: no-certificate-check
    requests.post(url, timeout=5, verify="authority.pem")
    # ruleid: no-certificate-check
    ssl._create_unverified_context()


def logs(upload, token, count, numbers):
    # ruleid: logs-a-name
    _LOG.info("Came: %s", upload.filename)
    # ruleid: logs-a-name
    logging.warning("Of %s", token)
    # ok: logs-a-name
    _LOG.info("Came: %d files", count)
    # ok: logs-a-name
    numbers.index(upload.filename)


def unpacks(path, folder):
    # ruleid: unpacks-where-it-says
    tarfile.open(path).extractall(folder)
    with tarfile.open(path) as archive:
        # ok: unpacks-where-it-says
        archive.extractall(folder, filter="data")
    with zipfile.ZipFile(path) as packed:
        # ok: unpacks-where-it-says
        packed.extractall(folder)


def new_token():
    # ruleid: guessable
    random.randbytes(32)
    # ok: guessable
    return secrets.token_urlsafe(32)


def shuffled(items):
    # ok: guessable
    return random.sample(items, 3)
