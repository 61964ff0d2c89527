"""The streamed window against MONAI's own, where MONAI is at hand: it needs torch, which nothing here does."""

import numpy as np
import pytest

from ml_service.sliding_window.plan import Plan
from ml_service.sliding_window.stream import Floats, slabs

REASON = "needs MONAI and torch: pip install --no-deps monai torch, in an environment of their own"
inferers = pytest.importorskip("monai.inferers", reason=REASON)
torch = pytest.importorskip("torch", reason=REASON)


@pytest.mark.parametrize("shape", [(40, 33, 29), (20, 50, 24), (30, 12, 26), (16, 24, 20)])
@pytest.mark.parametrize("overlap", [0.25, 0.5, 0.75])
def test_it_gives_what_monai_gives(shape: tuple[int, int, int], overlap: float) -> None:
    size = (16, 24, 20)
    plan = Plan(size=size, overlap=overlap, fast_overlap=0, spacing_mm=None, levels=(0.0, 1.0), activation="sigmoid")
    volume = np.random.default_rng(1).random(shape, np.float32)
    ramp = np.random.default_rng(2).random(size, np.float32)

    def network(windows: Floats) -> Floats:
        return np.concatenate([windows * ramp[..., None], windows - ramp[..., None]], axis=-1)

    def theirs(windows: "torch.Tensor") -> "torch.Tensor":
        return torch.from_numpy(np.moveaxis(network(np.moveaxis(windows.numpy(), 1, -1)), -1, 1))

    expected = inferers.sliding_window_inference(
        torch.from_numpy(volume)[None, None], size, 2, theirs, overlap=overlap, mode="gaussian"
    )
    came = np.zeros((*shape, 2), np.float32)
    for where, logits in slabs(volume, network, plan, batch=2):
        came[where] = logits
    np.testing.assert_allclose(came, np.moveaxis(expected[0].numpy(), 0, -1), atol=1e-5)
