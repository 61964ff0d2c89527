"""Networks by name. Add one: a file here with `build(**params) -> keras.Model`, and a line below."""

from importlib import import_module
from typing import Any

import keras

ARCHITECTURES = {
    "house": "ml_service.architectures.house",
    "resnet50": "ml_service.architectures.resnet50",
    "vgg16_bn": "ml_service.architectures.vgg16_bn",
    "cnn4": "ml_service.architectures.cnn4",
    "cnn_attention": "ml_service.architectures.cnn_attention",
    "attention": "ml_service.architectures.attention",
}


def build(name: str, params: dict[str, Any]) -> keras.Model:
    """Returns the untrained network `name`. Raises ValueError for a name that is not listed."""
    if name not in ARCHITECTURES:
        raise ValueError(f"Expected an architecture out of {sorted(ARCHITECTURES)}. Received: {name!r}")
    network: keras.Model = import_module(ARCHITECTURES[name]).build(**params)
    return network
