"""SuPreM's networks give upstream's outputs; labels, prefixes and batch-norm mode are the traps."""

from pathlib import Path

import numpy as np
import pytest

from ml_service import architectures
from ml_service.importers import suprem
from ml_service.importers.checkpoint import Array
from ml_service.importers.volume_model import DESCRIPTION, load, save
from tests.ml_service.importers.parity import agree, checkpoint, filled, outputs, voxels


@pytest.fixture(scope="module")
def unet() -> dict[str, Array]:
    return checkpoint("suprem_unet")


def test_the_unet_gives_upstreams_outputs(unet: dict[str, Array]) -> None:
    model = suprem.imported(unet, "unet")
    network = filled(architectures.build(model.architecture, model.params), model.weights)
    came = network(voxels(32, 32, 32), training=False)["logits"].numpy()
    expected = outputs("suprem_unet")["logits_stride4"]
    assert agree(np.moveaxis(came, -1, 1)[:, :, ::4, ::4, ::4], expected)


def test_a_windows_numbers_do_not_depend_on_what_is_in_its_batch(unet: dict[str, Array]) -> None:
    """Upstream's batch norm uses the batch's own statistics at inference, with one window a batch."""
    model = suprem.imported(unet, "unet")
    network = filled(architectures.build(model.architecture, model.params), model.weights)
    one, other = voxels(16, 16, 16), 5 * voxels(16, 16, 16)[:, ::-1]
    alone = network(one, training=False)["logits"].numpy()
    together = network(np.concatenate([one, other]), training=False)["logits"].numpy()[:1]
    assert np.abs(alone - together).max() <= 1e-4 * alone.std()
    in_training = network(one, training=True)["logits"].numpy()
    np.testing.assert_allclose(in_training, alone, atol=1e-5)


def test_swin_unetr_gives_upstreams_outputs() -> None:
    model = suprem.imported(checkpoint("suprem_swin_unetr"), "swin_unetr")
    network = filled(architectures.build(model.architecture, model.params | {"sizes": (64, 64, 64)}), model.weights)
    came = network(voxels(64, 64, 64), training=False)["logits"].numpy()
    assert agree(np.moveaxis(came, -1, 1)[:, :, ::8, ::8, ::8], outputs("suprem_swin_unetr")["logits_stride8"])


def test_segresnet_gives_upstreams_outputs_and_takes_the_atlas_order() -> None:
    tensors = {f"module.backbone.{name}": value for name, value in checkpoint("segresnet").items()}
    model = suprem.imported(tensors, "segresnet")
    network = filled(architectures.build(model.architecture, model.params), model.weights)
    came = network(voxels(32, 32, 32), training=False)["logits"].numpy()
    assert agree(np.moveaxis(came, -1, 1)[:, :, ::4, ::4, ::4], outputs("segresnet")["logits_stride4"])
    assert model.labels[0] == "aorta"


def test_the_two_label_orders_are_not_mixed_up(unet: dict[str, Array]) -> None:
    labels = suprem.imported(unet, "unet").labels
    assert (labels[0], labels[1], labels[2], labels[15], labels[16]) == (
        *("spleen", "kidney_right", "kidney_left", "lung_right", "lung_left"),
    )
    assert len(labels) == len(set(labels)) == 32
    atlas = suprem.ATLAS
    assert (atlas[0], atlas[2], atlas[3], atlas[20], atlas[21]) == (
        *("aorta", "kidney_left", "kidney_right", "lung_left", "lung_right"),
    )
    assert len(atlas) == len(set(atlas)) == 25
    with pytest.raises(ValueError, match=r"organ_embedding is \(32, 512\) instead of \(25, 512\)"):
        suprem.imported(unet, "unet", order="atlas")


def test_neither_order_nor_the_prefix_of_several_gpus_matters(unet: dict[str, Array]) -> None:
    plain = suprem.imported(unet, "unet").weights
    turned = suprem.imported({f"module.{name}": unet[name] for name in reversed(unet)}, "unet").weights
    assert plain.keys() == turned.keys()
    assert all(np.array_equal(plain[name], turned[name]) for name in plain)


def test_every_tensor_that_does_not_fit_is_named(unet: dict[str, Array]) -> None:
    tensors = dict(unet)
    tensors["controller.scale"] = tensors.pop("controller.bias")
    with pytest.raises(ValueError, match=r"controller\.bias is missing, controller\.scale is unknown"):
        suprem.imported(tensors, "unet")


def test_what_is_saved_says_how_to_build_and_to_ask_it(unet: dict[str, Array], tmp_path: Path) -> None:
    model = suprem.imported(unet, "unet")
    save(model, tmp_path / "ct-organs")
    assert sorted(path.name for path in (tmp_path / "ct-organs").iterdir()) == [DESCRIPTION, "weights.npz"]
    again = load(tmp_path / "ct-organs")
    assert again[:4] == model[:4]
    assert all(np.array_equal(again.weights[name], model.weights[name]) for name in model.weights)
    with pytest.raises(FileExistsError):
        save(model, tmp_path / "ct-organs")
