"""Where the tensors of MONAI's networks go in ours: `SegResNet`, `UNet` of residual units, `SwinUNETR`."""

from ml_service.importers.checkpoint import NORM, Rule, dense, same
from ml_service.importers.rules import convolution, scales, transposed

CUBE = (3, 3, 3)
POINT = (1, 1, 1)


def segresnet(
    labels: int, channels: int, width: int, blocks_down: tuple[int, ...], blocks_up: tuple[int, ...]
) -> list[Rule]:
    """Tensors of a SegResNet."""
    rules = convolution("convInit.conv", "stem_conv", channels, width, *CUBE, bias=False)
    for level, count in enumerate(blocks_down, start=1):
        wide, there = width * 2 ** (level - 1), f"down_layers.{level - 1}"
        if level > 1:
            rules += convolution(f"{there}.0.conv", f"down{level}_halve", wide // 2, wide, *CUBE, bias=False)
        for block in range(1, count + 1):
            rules += _pair(f"{there}.{block}", f"down{level}_block{block}", wide)
    levels = len(blocks_up)
    for index, count in enumerate(blocks_up):
        level = levels - index
        wide = width * 2 ** (level - 1)
        rules += convolution(f"up_samples.{index}.0.conv", f"up{level}_conv", 2 * wide, wide, *POINT, bias=False)
        for block in range(count):
            rules += _pair(f"up_layers.{index}.{block}", f"up{level}_block{block + 1}", wide)
    rules += scales("conv_final.0", "head_norm", width)
    return rules + convolution("conv_final.2.conv", "head", width, labels, *POINT)


def _pair(source: str, target: str, width: int) -> list[Rule]:
    rules: list[Rule] = []
    for number in (1, 2):
        rules += scales(f"{source}.norm{number}", f"{target}_{number}_norm", width)
        rules += convolution(f"{source}.conv{number}.conv", f"{target}_{number}_conv", width, width, *CUBE, bias=False)
    return rules


def unet(labels: int, channels: int, widths: tuple[int, ...], units: int) -> list[Rule]:
    """Tensors of a UNet of residual units. Each level lies inside the one above it, so names grow with depth."""
    rules: list[Rule] = []
    there, before = "model", channels
    for level, width in enumerate(widths[:-1], start=1):
        top = level == 1
        rules += _unit(f"{there}.0", f"down{level}", before, width, units, CUBE)
        after = labels if top else before
        joined = width + (widths[level] if level == len(widths) - 1 else width)
        rules += transposed(f"{there}.2.0.conv", f"up{level}_grow_conv", joined, after, *CUBE)
        rules += _activation(f"{there}.2.0.adn", f"up{level}_grow", after)
        rules += convolution(f"{there}.2.1.conv.unit0.conv", f"up{level}_unit_conv", after, after, *CUBE)
        rules += [] if top else _activation(f"{there}.2.1.conv.unit0.adn", f"up{level}_unit", after)
        there, before = f"{there}.1.submodule", width
    return rules + _unit(there, "bottom", before, widths[-1], units, POINT)


def _unit(source: str, target: str, before: int, after: int, units: int, beside: tuple[int, ...]) -> list[Rule]:
    rules: list[Rule] = []
    for unit in range(units):
        here = f"{target}_unit{unit}"
        rules += convolution(f"{source}.conv.unit{unit}.conv", f"{here}_conv", after if unit else before, after, *CUBE)
        rules += _activation(f"{source}.conv.unit{unit}.adn", here, after)
    return rules + convolution(f"{source}.residual", f"{target}_residual", before, after, *beside)


def _activation(source: str, target: str, channels: int) -> list[Rule]:
    """A batch normalisation and one slope for all channels."""
    rules = [Rule(f"{source}.N.{theirs}", (channels,), f"{target}_norm/{ours}", same) for theirs, ours in NORM]
    return [*rules, Rule(f"{source}.A.weight", (1,), f"{target}_prelu/alpha", lambda a: a.reshape(1, 1, 1, 1))]


def swin_unetr(channels: int, width: int, heads: tuple[int, ...], window: int, prefix: str = "") -> list[Rule]:
    """Tensors of a SwinUNETR without its last layer, `swin_head`."""
    vit = f"{prefix}swinViT"
    rules = convolution(f"{vit}.patch_embed.proj", "patches", channels, width, 2, 2, 2)
    for step, count in enumerate(heads, start=1):
        wide = width * 2 ** (step - 1)
        there = f"{vit}.layers{step}.0"
        for block in (0, 1):
            rules += _attention(f"{there}.blocks.{block}", f"step{step}_block{block + 1}", wide, count, window)
        rules += scales(f"{there}.downsample.norm", f"step{step}_merge_norm", 8 * wide)
        rules += _flat(f"{there}.downsample.reduction", f"step{step}_merge_dense", 8 * wide, 2 * wide)
    sizes = ((1, channels, width), (2, width, width), (3, 2 * width, 2 * width), (4, 4 * width, 4 * width))
    for number, before, after in sizes:
        rules += _residual(f"{prefix}encoder{number}.layer", f"across{number}", before, after)
    rules += _residual(f"{prefix}encoder10.layer", "bottom", 16 * width, 16 * width)
    before = 16 * width
    for level, after in zip(range(5, 0, -1), (8 * width, 4 * width, 2 * width, width, width), strict=True):
        there = f"{prefix}decoder{level}"
        rules += transposed(f"{there}.transp_conv.conv", f"up{level}_grow", before, after, 2, 2, 2, bias=False)
        rules += _residual(f"{there}.conv_block", f"up{level}", 2 * after, after)
        before = after
    return rules


def swin_head(labels: int, width: int) -> list[Rule]:
    """Tensors of a SwinUNETR's own last layer."""
    return convolution("out.conv.conv", "head", width, labels, *POINT)


def index_table(name: str) -> bool:
    """Tells a SwinUNETR's tables of distances, which its shape settles."""
    return name.endswith("relative_position_index")


def _attention(source: str, target: str, width: int, heads: int, window: int) -> list[Rule]:
    table = ((2 * window - 1) ** 3, heads)
    return [
        *scales(f"{source}.norm1", f"{target}_norm1", width),
        Rule(f"{source}.attn.relative_position_bias_table", table, f"{target}_attention/biases", same),
        *dense(f"{source}.attn.qkv", f"{target}_attention/qkv", width, 3 * width),
        *dense(f"{source}.attn.proj", f"{target}_attention/project", width, width),
        *scales(f"{source}.norm2", f"{target}_norm2", width),
        *dense(f"{source}.mlp.linear1", f"{target}_dense1", width, 4 * width),
        *dense(f"{source}.mlp.linear2", f"{target}_dense2", 4 * width, width),
    ]


def _residual(source: str, target: str, before: int, after: int) -> list[Rule]:
    rules = convolution(f"{source}.conv1.conv", f"{target}_conv1", before, after, *CUBE, bias=False)
    rules += convolution(f"{source}.conv2.conv", f"{target}_conv2", after, after, *CUBE, bias=False)
    if before != after:
        rules += convolution(f"{source}.conv3.conv", f"{target}_conv3", before, after, *POINT, bias=False)
    return rules


def _flat(source: str, target: str, before: int, after: int) -> list[Rule]:
    return dense(source, target, before, after)[:1]
