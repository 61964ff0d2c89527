"""`python -m ml_service.importers.lite_medsam --checkpoint lite_medsam.pth --out ml_service/models/lite-medsam/1`

The published LiteMedSAM (https://github.com/bowang-lab/MedSAM, branch LiteMedSAM, Apache-2.0): a plain state dict.
What it needs of an image: longest side 256 by area average, grey levels min to max as 0 .. 1, zeros to the right and
below up to 256 x 256, grey repeated in three channels.
"""

import argparse
from pathlib import Path

import numpy as np

from ml_service.architectures.layers.tiny_vit import STAGES
from ml_service.importers.checkpoint import Array, Rule, convert, dense, norm, read, same
from ml_service.importers.rules import convolution, each_channel, scales, transposed

WIDTHS = (64, 128, 160, 320)
WIDE = 256  # channels of an embedding
# Nothing of these touches the answer to a box: prompts by points and masks, and an answer's further masks.
UNUSED = (
    *("prompt_encoder.point_embeddings.0.", "prompt_encoder.point_embeddings.1.", "prompt_encoder.not_a_point_embed."),
    *("prompt_encoder.mask_downscaling.",),
    *(f"mask_decoder.output_hypernetworks_mlps.{number}." for number in (1, 2, 3)),
)


def weights(tensors: dict[str, Array]) -> dict[str, Array]:
    """Returns our weights by path. Raises ValueError naming each tensor that does not fit."""
    tensors = {name.removeprefix("module."): value for name, value in tensors.items()}
    rules = [*_encoder(), *_prompt(), *_decoder()]
    came = convert(tensors, rules, lambda name: name.startswith(UNUSED))
    for target in ("prompt/corners", "tokens/learnt"):  # a box's corners, the decoder's tokens: there in two tensors
        came[target] = np.concatenate([came.pop(f"{target} {part}") for part in (1, 2)])
    return came


def _encoder() -> list[Rule]:
    there = "image_encoder"
    rules = _normed(f"{there}.patch_embed.seq.0", "stem1", 3, WIDTHS[0] // 2)
    rules += _normed(f"{there}.patch_embed.seq.2", "stem2", WIDTHS[0] // 2, WIDTHS[0])
    for block in (0, 1):
        rules += _bottleneck(
            f"{there}.layers.0.blocks.{block}", f"stage1_block{block + 1}", WIDTHS[0], 4 * WIDTHS[0], WIDTHS[0]
        )
    for stage, (blocks, heads, window, _) in enumerate(STAGES, start=2):
        before, width = WIDTHS[stage - 2 : stage]
        rules += _bottleneck(f"{there}.layers.{stage - 2}.downsample", f"stage{stage}_merge", before, width, width)
        for block in range(blocks):
            source = f"{there}.layers.{stage - 1}.blocks.{block}"
            rules += _attention(source, f"stage{stage}_block{block + 1}", width, heads, window)
    rules += convolution(f"{there}.neck.0", "neck_conv1", WIDTHS[-1], WIDE, 1, 1, bias=False)
    rules += scales(f"{there}.neck.1", "neck_norm1", WIDE)
    rules += convolution(f"{there}.neck.2", "neck_conv2", WIDE, WIDE, 3, 3, bias=False)
    return rules + scales(f"{there}.neck.3", "neck_norm2", WIDE)


def _normed(source: str, target: str, before: int, after: int) -> list[Rule]:
    """A 1x1 convolution and its batch normalisation."""
    rules = convolution(f"{source}.c", f"{target}_conv", before, after, 1, 1, bias=False)
    return rules + norm(f"{source}.bn", f"{target}_norm", after)


def _bottleneck(source: str, target: str, before: int, inner: int, after: int) -> list[Rule]:
    rules = _normed(f"{source}.conv1", f"{target}_1", before, inner)
    rules += each_channel(f"{source}.conv2.c", f"{target}_2_conv", inner)
    rules += norm(f"{source}.conv2.bn", f"{target}_2_norm", inner)
    return rules + _normed(f"{source}.conv3", f"{target}_3", inner, after)


def _attention(source: str, target: str, width: int, heads: int, window: int) -> list[Rule]:
    return [
        Rule(f"{source}.attn.attention_biases", (heads, window**2), f"{target}_attention/biases", same),
        *scales(f"{source}.attn.norm", f"{target}_attention/norm", width),
        *dense(f"{source}.attn.qkv", f"{target}_attention/qkv", width, 3 * width),
        *dense(f"{source}.attn.proj", f"{target}_attention/project", width, width),
        *each_channel(f"{source}.local_conv.c", f"{target}_local_conv", width),
        *norm(f"{source}.local_conv.bn", f"{target}_local_norm", width),
        *scales(f"{source}.mlp.norm", f"{target}_norm", width),
        *dense(f"{source}.mlp.fc1", f"{target}_dense1", width, 4 * width),
        *dense(f"{source}.mlp.fc2", f"{target}_dense2", 4 * width, width),
    ]


def _prompt() -> list[Rule]:
    there = "prompt_encoder"
    return [
        Rule(f"{there}.pe_layer.positional_encoding_gaussian_matrix", (2, WIDE // 2), "prompt/waves", same),
        Rule(f"{there}.point_embeddings.2.weight", (1, WIDE), "prompt/corners 1", same),
        Rule(f"{there}.point_embeddings.3.weight", (1, WIDE), "prompt/corners 2", same),
        Rule(f"{there}.no_mask_embed.weight", (1, WIDE), "prompt/no_mask", same),
        Rule("mask_decoder.iou_token.weight", (1, WIDE), "tokens/learnt 1", same),
        Rule("mask_decoder.mask_tokens.weight", (4, WIDE), "tokens/learnt 2", same),
    ]


def _decoder() -> list[Rule]:
    there, rules = "mask_decoder.transformer", list[Rule]()
    for block in (0, 1):
        source, target = f"{there}.layers.{block}", f"decoder_block{block + 1}"
        rules += _exchange(f"{source}.self_attn", f"{target}_self", WIDE)
        rules += _exchange(f"{source}.cross_attn_token_to_image", f"{target}_to_image", WIDE // 2)
        rules += _exchange(f"{source}.cross_attn_image_to_token", f"{target}_to_tokens", WIDE // 2)
        rules += dense(f"{source}.mlp.lin1", f"{target}_dense1", WIDE, 8 * WIDE)
        rules += dense(f"{source}.mlp.lin2", f"{target}_dense2", 8 * WIDE, WIDE)
        for number in (1, 2, 3, 4):
            rules += scales(f"{source}.norm{number}", f"{target}_norm{number}", WIDE)
    rules += _exchange(f"{there}.final_attn_token_to_image", "decoder_last", WIDE // 2)
    rules += scales(f"{there}.norm_final_attn", "decoder_norm", WIDE)
    there = "mask_decoder.output_upscaling"
    rules += transposed(f"{there}.0", "grow1_conv", WIDE, WIDE // 4, 2, 2)
    rules += scales(f"{there}.1", "grow1_norm", WIDE // 4)
    rules += transposed(f"{there}.3", "grow2_conv", WIDE // 4, WIDE // 8, 2, 2)
    for source, target, last in (
        ("output_hypernetworks_mlps.0", "mask", WIDE // 8),
        ("iou_prediction_head", "quality", 4),
    ):
        for number, after in enumerate((WIDE, WIDE, last)):
            rules += dense(f"mask_decoder.{source}.layers.{number}", f"{target}_dense{number + 1}", WIDE, after)
    return rules


def _exchange(source: str, target: str, width: int) -> list[Rule]:
    rules: list[Rule] = []
    for theirs, ours in (("q_proj", "query"), ("k_proj", "key"), ("v_proj", "value")):
        rules += dense(f"{source}.{theirs}", f"{target}/{ours}", WIDE, width)
    return rules + dense(f"{source}.out_proj", f"{target}/project", width, WIDE)


def main() -> None:
    """Reads the command line and writes a version that the tier serves."""
    parser = argparse.ArgumentParser(description="Imports lite_medsam.pth.")
    parser.add_argument("--checkpoint", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path, help="the version's folder, MODELS/NAME/VERSION")
    given = parser.parse_args()
    from ml_service.importers.prompt_model import save

    save("lite_medsam", "LiteMedSAM, imported", weights(read(given.checkpoint, within=("model",))), given.out)


if __name__ == "__main__":
    main()
