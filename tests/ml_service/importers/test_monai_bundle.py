"""A bundle is read as data: its network is ours or refused, and nothing that it holds is run."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml_service import architectures
from ml_service.importers import monai_bundle
from ml_service.importers.checkpoint import Array
from tests.ml_service.importers.parity import agree, checkpoint, filled, outputs, voxels

METADATA = {
    "network_data_format": {
        "inputs": {"image": {"type": "image", "modality": "CT", "num_channels": 1}},
        "outputs": {"pred": {"num_channels": 2, "channel_def": {"1": "spleen", "0": "background"}}},
    }
}
CONFIG: dict[str, Any] = {
    "imports": ["$import glob", "$__import__('pathlib').Path(TRAP).write_text('run')"],
    "device": "$torch.device('cuda:0')",
    "network_def": {
        "_target_": "UNet",
        "spatial_dims": 3,
        "in_channels": 1,
        "out_channels": 2,
        "channels": [16, 32, 64, 128, 256],
        "strides": [2, 2, 2, 2],
        "num_res_units": 2,
        "norm": "batch",
    },
    "network": "$@network_def.to(@device)",
    "preprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "LoadImaged", "keys": "image"},
            {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
            {"_target_": "Spacingd", "keys": "image", "pixdim": [1.5, 1.5, 2.0], "mode": "bilinear"},
            {"_target_": "ScaleIntensityRanged", "a_min": -57, "a_max": 164, "b_min": 0, "b_max": 1, "clip": True},
        ],
    },
    "inferer": {
        "_target_": "monai.inferers.SlidingWindowInferer",
        "roi_size": [96, 96, 96],
        "sw_batch_size": 4,
        "overlap": 0.5,
    },
    "postprocessing": {"_target_": "Compose", "transforms": [{"_target_": "Activationsd", "softmax": True}]},
    "run": ["$@evaluator.run()"],
}
SWIN = {"_target_": "SwinUNETR", "img_size": 96, "in_channels": 1, "out_channels": 2, "feature_size": 48}


@pytest.fixture(scope="module")
def tensors() -> dict[str, Array]:
    return checkpoint("monai_unet")


def changed(place: str, value: Any) -> dict[str, Any]:
    config: Any = copy.deepcopy(CONFIG)
    *way, last = place.split("/")
    here = config
    for step in way:
        here = here[int(step) if step.isdecimal() else step]
    here[last] = value
    found: dict[str, Any] = config
    return found


def test_the_spleen_network_gives_monais_outputs(tensors: dict[str, Array]) -> None:
    model = monai_bundle.imported(METADATA, CONFIG, tensors)
    network = filled(architectures.build(model.architecture, model.params), model.weights)
    came = network(voxels(48, 32, 32), training=False)["logits"].numpy()
    assert agree(np.moveaxis(came, -1, 1)[:, :, ::2, ::2, ::2], outputs("monai_unet")["logits_stride2"])


def test_what_the_config_says_of_volumes_is_taken_over(tensors: dict[str, Array]) -> None:
    model = monai_bundle.imported(METADATA, CONFIG, tensors)
    assert model.labels == ("background", "spleen")
    plan = model.plan
    assert (plan.size, plan.overlap, plan.activation, plan.axes) == ((96, 96, 96), 0.5, "softmax", "RAS")
    assert (plan.spacing_mm, plan.levels) == ((1.5, 1.5, 2.0), (-57.0, 164.0))


@pytest.mark.parametrize(("told", "expected"), [("CT", "CT"), ("MRI", "MR"), ("mr", "MR")])
def test_the_modality_is_the_metadatas_or_the_one_that_is_named(told: str, expected: str) -> None:
    data = {"network_data_format": {"inputs": {"image": {"modality": told}}}}
    assert monai_bundle.modality_of(data) == expected
    with pytest.raises(ValueError, match="modality"):
        monai_bundle.modality_of({"network_data_format": {"inputs": {"image": {"modality": "n/a"}}}})


def test_nothing_is_run(tensors: dict[str, Array], tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    text = json.dumps(CONFIG).replace("TRAP", repr(str(trap)))
    monai_bundle.imported(METADATA, json.loads(text), tensors)
    assert not trap.exists()


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("inferer/overlap", "$1/2", "a number for overlap"),
        ("inferer/roi_size", "@size", "three numbers for roi_size"),
        ("network_def/out_channels", "$2", "whole numbers for out_channels"),
        ("network_def/channels", ["$16", 32, 64, 128, 256], "whole numbers for channels"),
        ("preprocessing/transforms/2/pixdim", ["$1.5", 1.5, 2], "a number for pixdim"),
        ("preprocessing", "$make()", "one ScaleIntensityRange|one Spacing"),
        ("network_def", "$UNet()", "described as data"),
        ("network_def", {"_target_": "os.system", "command": "true"}, "'system'"),
        ("network_def/norm", "instance", "norm='instance'"),
        ("network_def/act", "relu", "act='relu'"),
        ("network_def/spatial_dims", 2, "spatial_dims=2"),
        ("network_def/strides", [1, 2, 2, 2], "halve the size"),
        ("network_def/out_channels", 3, "each of 3 outputs"),
        ("preprocessing/transforms/3/clip", False, "another scale"),
        ("postprocessing", {}, "one Activations"),
    ],
)
def test_what_is_no_plain_value_or_another_network_is_refused(
    tensors: dict[str, Array], place: str, value: Any, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        monai_bundle.imported(METADATA, changed(place, value), tensors)


def test_outputs_without_names_are_refused(tensors: dict[str, Array]) -> None:
    unnamed: dict[str, Any] = {"network_data_format": {"outputs": {"pred": {"channel_def": {"1": "spleen"}}}}}
    with pytest.raises(ValueError, match="none or gaps"):
        monai_bundle.imported(unnamed, CONFIG, tensors)


@pytest.mark.parametrize(
    ("version", "expected"), [("0.9.0", "monai-0.9"), ("1.4.0", "monai-0.9"), ("1.5.0", "each"), ("1.10.1", "each")]
)
def test_monais_version_tells_which_corners_a_swin_unetr_joins(version: str, expected: str) -> None:
    assert monai_bundle.corners({"monai_version": version}) == expected
    with pytest.raises(ValueError, match="monai_version"):
        monai_bundle.corners({})


@pytest.mark.parametrize(
    ("described", "architecture"),
    [
        (SWIN, "swin_unetr"),
        ({"_target_": "SegResNet", "in_channels": 1, "out_channels": 2, "init_filters": 16}, "segresnet"),
    ],
)
def test_the_other_two_kinds_have_a_place_for_every_weight(described: dict[str, Any], architecture: str) -> None:
    kind, asked = monai_bundle.network({"network_def": described})
    name, params, rules = monai_bundle.built(kind, asked, (32, 32, 32))
    assert name == architecture
    network = architectures.build(name, params)
    assert {rule.target for rule in rules} == {weight.path for weight in network.weights}
