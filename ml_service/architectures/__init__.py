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
    "unet2d": "ml_service.architectures.unet2d",
    "unet3d": "ml_service.architectures.unet3d",
    "segresnet": "ml_service.architectures.segresnet",
    "swin_unetr": "ml_service.architectures.swin_unetr",
    "monai_unet": "ml_service.architectures.monai_unet",
    "box_prompt": "ml_service.architectures.box_prompt",
    "lite_medsam": "ml_service.architectures.lite_medsam",
}


def build(name: str, params: dict[str, Any]) -> keras.Model:
    """Returns the untrained network `name`. Raises ValueError for a name that is not listed."""
    if name not in ARCHITECTURES:
        raise ValueError(f"Expected an architecture out of {sorted(ARCHITECTURES)}. Received: {name!r}")
    network: keras.Model = import_module(ARCHITECTURES[name]).build(**params)
    return network
