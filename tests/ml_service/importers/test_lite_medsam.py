"""LiteMedSAM gives upstream's outputs, part by part."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from ml_service import architectures
from ml_service.checks import open_version
from ml_service.importers import lite_medsam
from ml_service.importers.checkpoint import Array
from ml_service.importers.prompt_model import save
from ml_service.prompts.boxes import Prompt
from ml_service.served_prompts import ServedPrompts
from ml_service.settings import Settings
from tests.ml_service.importers.parity import agree, checkpoint, filled, outputs

BOX = np.array([[40, 60, 150, 200]], np.float32)


@pytest.fixture(scope="module")
def tensors() -> dict[str, Array]:
    return checkpoint("lite_medsam")


def test_embedding_prompt_mask_and_quality_are_upstreams(tensors: dict[str, Array]) -> None:
    network = filled(architectures.build("lite_medsam", {}), lite_medsam.weights(tensors))
    expected = outputs("lite_medsam")
    pixels = np.random.default_rng(0).random((1, 3, 256, 256), np.float32).transpose(0, 2, 3, 1)
    encoder, decoder = network.get_layer("encoder"), network.get_layer("decoder")
    embedding = encoder(pixels, training=False).numpy()
    assert agree(embedding.transpose(0, 3, 1, 2)[:, :, ::16, ::16], expected["embedding_stride16"])
    tokens, _, _ = decoder.get_layer("prompt")(embedding, BOX)
    assert agree(tokens.numpy(), expected["sparse"])
    came = decoder({"embedding": embedding, "boxes": BOX}, training=False)
    assert agree(came["logits"].numpy().transpose(0, 3, 1, 2)[:, :, ::4, ::4], expected["masks_stride4"])
    assert abs(came["quality"].numpy() - expected["iou"]).max() <= 1e-4  # a single number has no spread
    # Several boxes on one image: the embedding again, and each box's mask as if it were alone.
    boxes = np.concatenate([BOX / 2, BOX])
    both = decoder({"embedding": np.repeat(embedding, 2, axis=0), "boxes": boxes}, training=False)
    np.testing.assert_allclose(both["logits"].numpy()[1:], came["logits"].numpy(), atol=1e-4)


def test_what_boxes_do_not_need_may_be_there_or_not(tensors: dict[str, Array]) -> None:
    lean = {name: value for name, value in tensors.items() if not name.startswith(lite_medsam.UNUSED)}
    assert len(lean) < len(tensors)
    assert lite_medsam.weights(lean).keys() == lite_medsam.weights(tensors).keys()


@pytest.mark.parametrize(
    "name",
    ["mask_decoder.iou_token.weight", "prompt_encoder.point_embeddings.3.weight", "image_encoder.neck.2.weight"],
)
def test_a_missing_tensor_is_named(tensors: dict[str, Array], name: str) -> None:
    with pytest.raises(ValueError, match="Expected the architecture's tensors") as refusal:
        lite_medsam.weights({key: value for key, value in tensors.items() if key != name})
    assert f"{name} is missing" in str(refusal.value)


def test_a_tensor_of_another_shape_is_named(tensors: dict[str, Array]) -> None:
    wrong = tensors | {"mask_decoder.mask_tokens.weight": tensors["mask_decoder.mask_tokens.weight"][:3]}
    with pytest.raises(ValueError, match=r"mask_decoder\.mask_tokens\.weight is \(3, 256\) instead of \(4, 256\)"):
        lite_medsam.weights(wrong)


def test_an_imported_version_is_served_as_the_one_that_ships_is(tensors: dict[str, Array], tmp_path: Path) -> None:
    folder = tmp_path / "lite-medsam" / "1"
    save("lite_medsam", "LiteMedSAM, imported", lite_medsam.weights(tensors), folder)
    served = open_version(folder, Settings(service_token=None))  # its golden image among it
    assert isinstance(served, ServedPrompts)
    picture = np.random.default_rng(0).integers(0, 255, (90, 140), np.uint8)
    study = cv2.imencode(".png", picture)[1].tobytes()
    for box in ((20.0, 10.0, 90.0, 60.0), (5.0, 5.0, 60.0, 80.0)):
        seen = served.see_boxes(study, None, [Prompt(box, 0, 0, 1, False)], axes=2, wait_s=60)
        assert seen.outlined is not None
        assert cv2.imdecode(np.frombuffer(seen.outlined.mask(), np.uint8), 0).shape == (90, 140)
    assert served.network.encoded == 2  # the golden image, and this one once for both boxes
    served.close()
