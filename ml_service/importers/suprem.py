"""`python -m ml_service.importers.suprem --checkpoint X.pth --network unet --out ml_service/models/ct-organs/1`

SuPreM's released checkpoints (https://github.com/MrGiovanni/SuPreM; CC BY-NC-ND 4.0: they may not be redistributed, so
each site brings its own): U-Net and Swin UNETR with the 32-class text head, and SegResNet. Their training loop saves a
dict with the state dict under `net`, its names with `module.` when several cards took part. Upstream's own script
copies tensors by their position; here names decide.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ml_service.importers import monai_networks
from ml_service.importers.checkpoint import Array, Rule, convert, dense, read, same
from ml_service.importers.rules import convolution, pointwise, scales, transposed
from ml_service.importers.volume_model import Imported, save
from ml_service.sliding_window.plan import Plan

CUBE = (3, 3, 3)
POINT = (1, 1, 1)
WIDTHS = (64, 128, 256, 512)  # of the U-Net
SWIN_WIDTH, SWIN_HEADS, SWIN_WINDOW = 48, (3, 6, 12, 24), 7
SIDE = 96  # voxels of a window, upstream's choice

# Two orders of the same structures are in use. The networks' channels come in this one ("celiac_truck" as upstream
# writes it, so that its own files are found) ...
CHANNELS = (
    *("spleen", "kidney_right", "kidney_left", "gall_bladder", "esophagus", "liver", "stomach", "aorta", "postcava"),
    *("portal_vein_and_splenic_vein", "pancreas", "adrenal_gland_right", "adrenal_gland_left", "duodenum"),
    *("hepatic_vessel", "lung_right", "lung_left", "colon", "intestine", "rectum", "bladder", "prostate"),
    *("femur_left", "femur_right", "celiac_truck", "kidney_tumor", "liver_tumor", "pancreas_tumor"),
    *("hepatic_vessel_tumor", "lung_tumor", "colon_tumor", "kidney_cyst"),
)
# ... and the AbdomenAtlas 1.1 data set's label maps in this one, 1 being the aorta. So do networks fine-tuned on them.
ATLAS = (
    *("aorta", "gall_bladder", "kidney_left", "kidney_right", "liver", "pancreas", "postcava", "spleen", "stomach"),
    *("adrenal_gland_left", "adrenal_gland_right", "bladder", "celiac_trunk", "colon", "duodenum", "esophagus"),
    *("femur_left", "femur_right", "hepatic_vessel", "intestine", "lung_left", "lung_right"),
    *("portal_vein_and_splenic_vein", "prostate", "rectum"),
)
ORDERS = {"channels": CHANNELS, "atlas": ATLAS}


def unet(tensors: dict[str, Array], labels: int) -> dict[str, Array]:
    """Returns the U-Net's weights by path. Running statistics are left: upstream never uses them."""
    rules: list[Rule] = []
    before = 1
    for level, (name, width) in enumerate(zip(("64", "128", "256", "512"), WIDTHS, strict=True), start=1):
        there = f"backbone.down_tr{name}.ops"
        rules += _layer(f"{there}.0", f"down{level}_1", before, width // 2)
        rules += _layer(f"{there}.1", f"down{level}_2", width // 2, width)
        before = width
    for level, (name, width) in enumerate(zip(("64", "128", "256"), WIDTHS, strict=False), start=1):
        there = f"backbone.up_tr{name}"
        rules += transposed(f"{there}.up_conv", f"up{level}_grow", 2 * width, 2 * width, 2, 2, 2)
        rules += _layer(f"{there}.ops.0", f"up{level}_1", 3 * width, width)
        rules += _layer(f"{there}.ops.1", f"up{level}_2", width, width)
    rules += _head(labels, maps=WIDTHS[0], bottom=WIDTHS[-1])
    return convert(tensors, rules, lambda name: name.endswith((".running_mean", ".running_var")))


def swin_unetr(tensors: dict[str, Array], labels: int) -> dict[str, Array]:
    """Returns the Swin UNETR's weights by path."""
    rules = monai_networks.swin_unetr(1, SWIN_WIDTH, SWIN_HEADS, SWIN_WINDOW, prefix="backbone.")
    rules += _head(labels, maps=SWIN_WIDTH, bottom=16 * SWIN_WIDTH)
    return convert(tensors, rules, monai_networks.index_table)


def segresnet(tensors: dict[str, Array], labels: int) -> dict[str, Array]:
    """Returns the SegResNet's weights by path; in some files its names begin with `backbone.`."""
    plain = {name.removeprefix("module.").removeprefix("backbone."): value for name, value in tensors.items()}
    return convert(plain, monai_networks.segresnet(labels, 1, 16, (1, 2, 2, 4), (1, 1, 1)))


NETWORKS: dict[str, Callable[[dict[str, Array], int], dict[str, Array]]] = {
    "unet": unet,
    "swin_unetr": swin_unetr,
    "segresnet": segresnet,
}
ARCHITECTURES = {"unet": "unet3d", "swin_unetr": "swin_unetr", "segresnet": "segresnet"}
EXTRA: dict[str, dict[str, str]] = {
    "unet": {"head": "text"},
    "swin_unetr": {"head": "text", "corners": "monai-0.9"},
    "segresnet": {},
}
TITLES = {"unet": "U-Net", "swin_unetr": "Swin UNETR", "segresnet": "SegResNet"}
LAST = {"unet": "organ_embedding", "swin_unetr": "organ_embedding", "segresnet": "conv_final.2.conv.bias"}


def imported(tensors: dict[str, Array], network: str, order: str | None = None) -> Imported:
    """Returns a checkpoint as a model of ours.

    Args:
        tensors: the state dict.
        network: a name out of NETWORKS.
        order: a name out of ORDERS; None: by their number, 32 or 25.

    Raises:
        ValueError: naming each tensor that does not fit, or when labels and outputs differ in number.
    """
    outputs = next((len(value) for name, value in tensors.items() if name.endswith(LAST[network])), 0)
    known = {len(names): name for name, names in ORDERS.items()}
    order = order or known.get(outputs, "channels")
    labels = ORDERS[order]
    weights = NETWORKS[network](tensors, len(labels))
    params: dict[str, Any] = {"labels": len(labels)}
    return Imported(
        architecture=ARCHITECTURES[network],
        params=params | EXTRA[network],
        labels=labels,
        plan=Plan(
            size=(SIDE, SIDE, SIDE),
            overlap=0.75,
            fast_overlap=0.25,
            spacing_mm=(1.5, 1.5, 1.5),
            axes="RAS",
            levels=(-175.0, 250.0),
            foreground=True,
            activation="sigmoid",
        ),
        weights=weights,
        clean_up=True,
    )


def _layer(source: str, target: str, before: int, after: int) -> list[Rule]:
    rules = convolution(f"{source}.conv1", f"{target}_conv", before, after, *CUBE)
    return rules + scales(f"{source}.bn1", f"{target}_norm", after)


def _head(labels: int, maps: int, bottom: int) -> list[Rule]:
    return [
        Rule("organ_embedding", (labels, 512), "head/words", same),
        *dense("text_to_vision", "head/text", 512, 256),
        *scales("precls_conv.0", "head/maps_norm", maps),
        *pointwise("precls_conv.2", "head/maps_conv", maps, 8, *POINT),
        *scales("GAP.0", "head/bottom_norm", bottom),
        *pointwise("GAP.3", "head/bottom_conv", bottom, 256, *POINT),
        *pointwise("controller", "head/controller", 512, 153, *POINT),
    ]


def main() -> None:
    """Reads the command line and writes a version that the tier serves."""
    parser = argparse.ArgumentParser(description="Imports a checkpoint of SuPreM.")
    parser.add_argument("--checkpoint", required=True, type=Path)
    parser.add_argument("--network", required=True, choices=sorted(NETWORKS))
    parser.add_argument("--labels", choices=sorted(ORDERS), help="the outputs' order; by default by their number")
    parser.add_argument("--out", required=True, type=Path, help="the version's folder, MODELS/NAME/VERSION")
    given = parser.parse_args()
    model = imported(read(given.checkpoint, within=("net",)), given.network, given.labels)
    save(model, f"Organs in a CT, SuPreM's {TITLES[given.network]}", given.out)


if __name__ == "__main__":
    main()
