"""`python -m ml_service.importers.monai_bundle --bundle FOLDER --out ml_service/models/NAME/1`

A MONAI bundle (https://docs.monai.io/en/stable/mb_specification.html) of a UNet, SegResNet or SwinUNETR. Its config is
a program: `_target_` names Python classes to build, `$` begins Python to run. None of it is run here. `metadata.json`
and `inference.json` are read as data: numbers and names that stand in known places are taken, and where such a place
holds an expression the bundle is refused.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from ml_service.importers import monai_networks
from ml_service.importers.checkpoint import Array, convert, read
from ml_service.importers.volume_model import Imported, save
from ml_service.sliding_window.plan import Plan

FAST_OVERLAP = 0.25
MODALITIES = ("CT", "MR", "PT")
NETWORKS = ("network_def", "network", "net")  # where a bundle describes its network, the usual place first
# What our networks do; another value of one of these makes another network, anything else an argument we do not know.
FIXED: dict[str, dict[str, Any]] = {
    "UNet": {"spatial_dims": 3, "norm": ("batch", "BATCH"), "act": "PRELU", "dropout": 0.0, "bias": True},
    "SegResNet": {"spatial_dims": 3, "use_conv_final": True, "upsample_mode": "nontrainable", "act": "RELU"},
    "SwinUNETR": {"spatial_dims": 3, "norm_name": "instance", "use_v2": False, "downsample": "merging"},
}
IGNORED = {"SwinUNETR": ("img_size", "use_checkpoint", "drop_rate", "attn_drop_rate", "dropout_path_rate", "normalize")}
TAKEN = {
    "UNet": ("in_channels", "out_channels", "channels", "strides", "num_res_units"),
    "SegResNet": ("in_channels", "out_channels", "init_filters", "blocks_down", "blocks_up"),
    "SwinUNETR": ("in_channels", "out_channels", "feature_size", "num_heads"),
}


def imported(
    metadata: dict[str, Any], config: dict[str, Any], tensors: dict[str, Array], modality: str | None = None
) -> Imported:
    """Returns a bundle as a model of ours.

    Args:
        metadata: the content of configs/metadata.json.
        config: the content of configs/inference.json.
        tensors: the state dict of models/model.pt.
        modality: CT, MR or PT; None: as the metadata says.

    Raises:
        ValueError: for a network or a preparation that we do not have, for an expression where a value is needed, and
            naming each tensor that does not fit.
    """
    kind, asked = network(config)
    labels = names(metadata)
    if len(labels) != asked["out_channels"]:
        raise ValueError(f"Expected a name for each of {asked['out_channels']} outputs. Received: {len(labels)}")
    steps = list(_steps(config.get("preprocessing")))
    inferer = _of_kind([config.get("inferer")], "SlidingWindowInferer")
    size = _three(inferer.get("roi_size"), "roi_size")
    architecture, params, rules = built(kind, asked, size)
    params |= {"corners": corners(metadata)} if kind == "SwinUNETR" else {}
    levels = _of_kind(steps, "ScaleIntensityRange")
    if (levels.get("b_min"), levels.get("b_max")) != (0, 1) or not levels.get("clip"):
        raise ValueError("Expected grey levels scaled to 0 .. 1 and cut there. Received: another scale")
    return Imported(
        architecture=architecture,
        params=params,
        labels=labels,
        plan=Plan(
            size=size,
            overlap=_number(inferer.get("overlap", 0.25), "overlap"),
            fast_overlap=FAST_OVERLAP,
            spacing_mm=_three(_of_kind(steps, "Spacing").get("pixdim"), "pixdim"),
            axes=str(_of_kind(steps, "Orientation").get("axcodes")),
            levels=(_number(levels.get("a_min"), "a_min"), _number(levels.get("a_max"), "a_max")),
            activation=activation(config),
        ),
        weights=convert(tensors, rules, monai_networks.index_table),
        modality=modality or modality_of(metadata),
    )


def network(config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Returns the network's class, without its package, and its arguments. Raises ValueError for one we do not have."""
    for place in NETWORKS:
        described = config.get(place)
        if isinstance(described, dict):
            kind = str(described.get("_target_", "")).rpartition(".")[2]
            if kind not in TAKEN:
                raise ValueError(f"Expected a network out of {sorted(TAKEN)}. Received: {kind!r}")
            return kind, _arguments(kind, described)
    raise ValueError(f"Expected a network under {', '.join(NETWORKS)}. Received: none that is described as data")


def _arguments(kind: str, described: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments that our network takes. Raises ValueError for any that would make another network of it."""
    for name, value in described.items():
        if name == "_target_" or name in TAKEN[kind] or name in IGNORED.get(kind, ()):
            continue
        allowed = FIXED[kind].get(name, ())
        if value not in (allowed if isinstance(allowed, tuple) else (allowed,)):
            raise ValueError(f"Expected a {kind} as we have it. Received: {name}={value!r}")
    taken = {name: described[name] for name in TAKEN[kind] if name in described}
    for name, value in taken.items():
        for each in value if isinstance(value, list) else [value]:
            _whole(each, name)
    for name in ("in_channels", "out_channels"):
        if name not in taken:
            raise ValueError(f"Expected {name} to be given. Received: none")
    return taken


def built(kind: str, asked: dict[str, Any], size: tuple[int, int, int]) -> tuple[str, dict[str, Any], list[Any]]:
    """Returns our architecture, its parameters, and the rules for the tensors."""
    labels, channels = asked["out_channels"], asked["in_channels"]
    common = {"labels": labels, "channels": channels}
    if kind == "UNet":
        widths, units = tuple(asked["channels"]), asked.get("num_res_units", 0)
        if units < 1 or set(asked["strides"]) != {2} or len(asked["strides"]) != len(widths) - 1:
            raise ValueError("Expected a UNet of residual units whose levels halve the size. Received: another one")
        params = common | {"widths": widths, "units": units}
        return "monai_unet", params, monai_networks.unet(labels, channels, widths, units)
    if kind == "SegResNet":
        width = asked.get("init_filters", 8)
        down, up = tuple(asked.get("blocks_down", (1, 2, 2, 4))), tuple(asked.get("blocks_up", (1, 1, 1)))
        params = common | {"width": width, "blocks_down": down, "blocks_up": up}
        return "segresnet", params, monai_networks.segresnet(labels, channels, width, down, up)
    width, heads = asked.get("feature_size", 24), tuple(asked.get("num_heads", (3, 6, 12, 24)))
    params = common | {"width": width, "heads": heads, "sizes": size}
    rules = monai_networks.swin_unetr(channels, width, heads, window=7)
    return "swin_unetr", params, [*rules, *monai_networks.swin_head(labels, width)]


def corners(metadata: dict[str, Any]) -> str:
    """Returns how the MONAI that a SwinUNETR was made with joins voxels: 1.5 took the eight corners apart at last
    (https://github.com/Project-MONAI/MONAI/issues/8284). Raises ValueError where the metadata names no version."""
    numbers = str(metadata.get("monai_version", "")).split(".")
    if len(numbers) < 2 or not all(number.isdecimal() for number in numbers[:2]):
        raise ValueError("Expected monai_version, without which a SwinUNETR cannot be told. Received: none")
    return "each" if (int(numbers[0]), int(numbers[1])) >= (1, 5) else "monai-0.9"


def modality_of(metadata: dict[str, Any]) -> str:
    """Returns the DICOM modality that the network reads. Raises ValueError where the metadata does not tell it."""
    described: dict[str, Any] = metadata.get("network_data_format", {}).get("inputs", {})
    told = {str(each.get("modality", "n/a")).upper() for each in described.values() if isinstance(each, dict)}
    known = {"MRI": "MR"}.get(next(iter(told), ""), next(iter(told), ""))
    if len(told) != 1 or known not in MODALITIES:
        raise ValueError(f"Expected a modality of CT, MR or PT for the input. Received: {sorted(told)}")
    return known


def names(metadata: dict[str, Any]) -> tuple[str, ...]:
    """Returns the outputs' names in order. Raises ValueError where the metadata does not name them."""
    outputs = metadata.get("network_data_format", {}).get("outputs", {})
    described: dict[str, Any] = next(iter(outputs.values())) if len(outputs) == 1 else {}
    channels: dict[str, Any] = described.get("channel_def", {})
    numbers = sorted(int(number) for number in channels if str(number).isdecimal())
    if not numbers or numbers != list(range(len(channels))):
        raise ValueError("Expected channel_def to name one output's channels from 0 on. Received: none or gaps")
    return tuple(str(channels[str(number)]) for number in numbers)


def activation(config: dict[str, Any]) -> Literal["softmax", "sigmoid"]:
    """Returns "softmax" or "sigmoid". Raises ValueError where the bundle says neither."""
    step = _of_kind(_steps(config.get("postprocessing")), "Activations")
    kinds: tuple[Literal["softmax", "sigmoid"], ...] = ("softmax", "sigmoid")
    found = [name for name in kinds if step.get(name) is True]
    if len(found) != 1:
        raise ValueError(f"Expected softmax or sigmoid. Received: {found or 'neither'}")
    return found[0]


def _steps(composed: Any) -> Iterator[dict[str, Any]]:
    """Yields the transforms that are described as data."""
    transforms = composed.get("transforms", []) if isinstance(composed, dict) else []
    return (step for step in transforms if isinstance(step, dict))


def _of_kind(steps: Any, kind: str) -> dict[str, Any]:
    """Returns the one step of a kind; its name may carry a package before and the dictionary form's `d` behind."""
    found = [
        step
        for step in steps
        if isinstance(step, dict) and str(step.get("_target_")).rpartition(".")[2] in (kind, f"{kind}d")
    ]
    if len(found) != 1:
        raise ValueError(f"Expected one {kind}. Received: {len(found)}")
    one: dict[str, Any] = found[0]
    return one


def _three(values: Any, name: str) -> Any:
    if not isinstance(values, list) or len(values) != 3:
        raise ValueError(f"Expected three numbers for {name}. Received: {values!r}")
    return tuple(_number(value, name) for value in values)


def _whole(value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"Expected whole numbers for {name}. Received: {value!r}")
    return value


def _number(value: Any, name: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):  # an expression is a text, and is not run
        raise ValueError(f"Expected a number for {name}. Received: {value!r}")
    return value


def main() -> None:
    """Reads the command line and writes a version that the tier serves."""
    parser = argparse.ArgumentParser(description="Imports a MONAI bundle.")
    parser.add_argument("--bundle", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--out", required=True, type=Path, help="the version's folder, MODELS/NAME/VERSION")
    parser.add_argument("--modality", choices=MODALITIES, help="where the bundle does not say it")
    parser.add_argument("--title", help="for people; by default the bundle's folder")
    given = parser.parse_args()
    configs = given.bundle / "configs"
    parts = [json.loads((configs / f"{name}.json").read_text(encoding="utf-8")) for name in ("metadata", "inference")]
    tensors = read(given.bundle / "models" / "model.pt", within=("state_dict", "model"))
    model = imported(parts[0], parts[1], tensors, given.modality)
    save(model, given.title or f"{given.bundle.resolve().name}, imported", given.out)


if __name__ == "__main__":
    main()
