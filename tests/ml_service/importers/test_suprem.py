"""SuPreM's networks give upstream's outputs; labels, prefixes and batch-norm mode are the traps."""

from pathlib import Path

import numpy as np
import pytest

from ml_service import architectures
from ml_service.checks import open_version
from ml_service.importers import suprem
from ml_service.importers.checkpoint import Array
from ml_service.importers.volume_model import save
from ml_service.served_volume import ServedVolume
from ml_service.settings import Settings
from tests.ml_service.importers.parity import agree, checkpoint, filled, outputs, voxels
from tests.ml_service.tiny_bundle import packed, scan, unpacked


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


def test_a_checkpoint_becomes_a_version_that_is_served_with_suprems_clean_up(tmp_path: Path) -> None:
    """In small windows, so that this takes seconds; the plan is upstream's otherwise."""
    model = suprem.imported(checkpoint("segresnet"), "segresnet")
    assert (model.plan.size, model.plan.overlap, model.plan.spacing_mm) == ((96, 96, 96), 0.75, (1.5, 1.5, 1.5))
    assert model.plan.foreground and model.clean_up
    small = model.plan.model_copy(update={"size": (32, 32, 32)})
    folder = tmp_path / "ct-organs" / "1"
    manifest = save(model._replace(plan=small), "Organs in a CT", folder)
    assert manifest.labels == suprem.ATLAS and manifest.outputs == 25 and manifest.modalities == ("CT",)
    served = open_version(folder, Settings(service_token=None))
    assert isinstance(served, ServedVolume) and served.manifest == manifest
    seen = served.see_study(packed(scan()), wait_s=5, fast=True)
    served.close()
    assert seen.outlined
    labels, _ = unpacked(seen.outlined.mask())
    assert labels.any()


def test_what_the_tier_cannot_serve_is_not_imported(tmp_path: Path) -> None:
    model = suprem.imported(checkpoint("segresnet"), "segresnet")
    for wrong in ({"labels": ("liver",) * 25}, {"params": model.params | {"channels": 4}}):
        with pytest.raises(ValueError, match="Expected"):
            save(model._replace(**wrong), "Organs", tmp_path / "ct-organs" / "1")
    assert not (tmp_path / "ct-organs").exists()
