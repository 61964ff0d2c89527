"""The originals on PyTorch, as their own documentation runs them on a CPU.

`python -m benchmarks.volume_networks.theirs unet|boxes WEIGHTS.npz ANSWER.npy SCALE [FOLDER]` writes its weights, says
"ready", and answers each line of its input with the seconds of one pass, whose answer it writes. FOLDER is a checkout
of LiteMedSAM.
"""

import sys
import time
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from benchmarks.volume_networks import BATCH, BOXES, OVERLAP, THREADS, UNET, WARM, WINDOW, study, tensor

SIDE = 256
Pass = Callable[[Any], Any]


def main() -> None:
    what, weights, answer, scale, *folder = sys.argv[1:]
    torch.set_num_threads(THREADS)
    network, run = unet() if what == "unet" else boxes(Path(folder[0]))
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    made = {name: tensor(name, shape) for name, shape in shapes.items()}
    network.load_state_dict({name: torch.from_numpy(value) for name, value in made.items()})
    network.eval()
    np.savez(weights, **made)  # type: ignore[arg-type]
    with torch.inference_mode():
        run(study(what, WARM[what]))
    volume = study(what, float(scale))
    print("ready", flush=True)
    for _ in sys.stdin:
        with torch.inference_mode():
            began = time.perf_counter()
            out = run(volume)
            took_s = time.perf_counter() - began
        np.save(answer, out)
        print(took_s, flush=True)


def unet() -> tuple[Any, Pass]:
    """MONAI's sliding window with its own U-Net; the answer is the more probable label of each voxel."""
    from monai.inferers import sliding_window_inference
    from monai.networks.nets import UNet

    network = UNet(
        spatial_dims=3,
        in_channels=UNET["channels"],
        out_channels=UNET["labels"],
        channels=UNET["widths"],
        strides=(2, 2, 2, 2),
        num_res_units=UNET["units"],
        norm="batch",
    )

    def run(volume: Any) -> Any:
        voxels = torch.from_numpy(volume)[None, None]
        logits = sliding_window_inference(voxels, WINDOW, BATCH, network, overlap=OVERLAP, mode="gaussian")
        return logits[0].argmax(0).numpy().astype(np.uint8)

    return network, run


def boxes(folder: Path) -> tuple[Any, Pass]:
    """LiteMedSAM's script: box after box, from the middle slice up and down, each slice encoded anew for each box."""
    with _timm():
        # Its modules alone: the package around them asks for torchvision.
        sys.path[:0] = [str(folder), str(folder / "segment_anything")]
        from modeling import MaskDecoder, PromptEncoder, TwoWayTransformer
        from tiny_vit_sam import TinyViT
    network = torch.nn.Module()
    network.image_encoder = TinyViT(
        img_size=SIDE,
        in_chans=3,
        embed_dims=[64, 128, 160, 320],
        depths=[2, 2, 6, 2],
        num_heads=[2, 4, 5, 10],
        window_sizes=[7, 7, 14, 7],
        mlp_ratio=4.0,
        drop_rate=0.0,
        drop_path_rate=0.0,
        mbconv_expand_ratio=4.0,
        local_conv_size=3,
        layer_lr_decay=0.8,
    )
    network.prompt_encoder = PromptEncoder(256, (64, 64), (SIDE, SIDE), 16)
    network.mask_decoder = MaskDecoder(
        num_multimask_outputs=3,
        transformer=TwoWayTransformer(2, 256, 8, 2048),
        transformer_dim=256,
        iou_head_depth=3,
        iou_head_hidden_dim=256,
    )

    def run(volume: Any) -> Any:
        found = np.zeros((len(BOXES), *volume.shape), bool)
        for number, (x_min, y_min, z_min, x_max, y_max, _) in enumerate(BOXES):
            last = len(volume) - 1
            drawn = np.array([x_min, y_min, x_max, y_max]) * SIDE // max(volume.shape[1:])
            middle = z_min + (last - z_min) // 2
            for order in (range(middle, last + 1), range(middle - 1, z_min - 1, -1)):
                for z in order:
                    before = z - 1 if z > middle else z + 1
                    box = drawn if z == middle else _next_box(found[number, before], drawn)
                    found[number, z] = _outlined(network, volume[z], box)
        return found

    return network, run


def _outlined(network: Any, plane: Any, box: Any) -> Any:
    """(rows, columns) -> bool of the same size."""
    small = cv2.resize(np.repeat(plane[..., None], 3, axis=-1), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    levels = (small - small.min()) / np.clip(small.max() - small.min(), 1e-8, None)
    embedding = network.image_encoder(torch.tensor(levels).float().permute(2, 0, 1)[None])
    sparse, dense = network.prompt_encoder(
        points=None, boxes=torch.as_tensor(box[None, None], dtype=torch.float), masks=None
    )
    logits, _ = network.mask_decoder(
        image_embeddings=embedding,
        image_pe=network.prompt_encoder.get_dense_pe(),
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
        multimask_output=False,
    )
    full = torch.nn.functional.interpolate(logits, size=plane.shape, mode="bilinear", align_corners=False)
    return (torch.sigmoid(full).squeeze().numpy()) > 0.5


def _next_box(mask: Any, drawn: Any) -> Any:
    """The box of the slice before, 3 pixels wider; the drawn one where nothing was found."""
    small = cv2.resize(mask.astype(np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    if not small.any():
        return drawn
    rows, columns = np.where(small > 0)
    low = np.maximum(0, (columns.min() - 3, rows.min() - 3))
    return np.array([*low, *np.minimum(SIDE, (columns.max() + 3, rows.max() + 3))])


@contextmanager
def _timm() -> Iterator[None]:
    """The four names that upstream's encoder takes from timm; none of them computes anything at inference."""
    layers, registry = types.ModuleType("timm.models.layers"), types.ModuleType("timm.models.registry")

    class DropPath(torch.nn.Identity):  # type: ignore[misc]  # torch is no package of the project
        def __init__(self, drop_prob: float | None = None) -> None:
            super().__init__()

    vars(layers).update(DropPath=DropPath, to_2tuple=lambda n: (n, n), trunc_normal_=lambda *_, **__: None)
    vars(registry).update(register_model=lambda model: model)
    stand_ins = {"timm": types.ModuleType("timm"), "timm.models": types.ModuleType("timm.models")}
    stand_ins |= {"timm.models.layers": layers, "timm.models.registry": registry}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in stand_ins:
            sys.modules.pop(name)


if __name__ == "__main__":
    main()
