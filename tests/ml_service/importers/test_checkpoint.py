"""A PyTorch checkpoint as arrays, with a stand-in for the library: it is large, and only importers need it."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ml_service.importers import checkpoint

FILE = Path("checkpoint.pth")


class Tensor:
    """As much of torch's as is asked for."""

    def __init__(self, *values: float, kind: type[np.generic] = np.float16) -> None:
        self._values = np.array(values, kind)

    def float(self) -> "Tensor":
        return Tensor(*self._values, kind=np.float32)

    def numpy(self) -> Any:
        return self._values


NET = {"conv.weight": Tensor(1, 2.5), "conv.bias": Tensor(3)}
TRAINED = {"net": NET, "optimizer": {"lr": 0.1}, "epoch": 7}


@pytest.fixture(autouse=True)
def torch(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The library's stand-in. `saved` is what lies in the file; `asked` is how it was read."""
    module: Any = ModuleType("torch")
    module.Tensor, module.asked = Tensor, []

    def load(path: Path, **options: Any) -> Any:
        module.asked.append((path, options))
        return module.saved

    module.load = load
    monkeypatch.setitem(sys.modules, "torch", module)
    return module


def is_the_net(found: dict[str, Any]) -> None:
    assert list(found) == ["conv.weight", "conv.bias"]
    assert {values.dtype for values in found.values()} == {np.dtype(np.float32)}
    assert [values.tolist() for values in found.values()] == [[1, 2.5], [3]]


def test_nothing_that_a_checkpoint_says_is_run(torch: Any) -> None:
    """Trap: a pickle that acts when it is read."""
    torch.saved = NET
    is_the_net(checkpoint.read(FILE))
    ((path, options),) = torch.asked
    assert path == FILE and options["weights_only"] is True and options["map_location"] == "cpu"


@pytest.mark.parametrize("within", [("net",), ("state_dict", "net"), ("epoch", "net")])
def test_a_training_checkpoint_s_network_is_found_beside_its_optimizer(torch: Any, within: tuple[str, ...]) -> None:
    """Of the names the first that holds one; "epoch" is there and holds none."""
    torch.saved = TRAINED
    is_the_net(checkpoint.read(FILE, within))


def test_a_plain_state_dict_may_come_where_a_training_checkpoint_was_expected(torch: Any) -> None:
    torch.saved = {"net": NET["conv.bias"], **NET}  # a tensor of that name
    assert list(checkpoint.read(FILE, ("net",))) == ["net", "conv.weight", "conv.bias"]


@pytest.mark.parametrize(
    ("saved", "told"),
    [
        (TRAINED, "'net'"),
        (NET | {"epoch": 7}, "'epoch'"),
        ({"state_dict": NET | {"names": ["liver"]}}, "'names'"),
        ([NET], "list"),
        (NET["conv.bias"], "Tensor"),
    ],
    ids=["a training checkpoint", "a number", "within", "a list", "one tensor"],
)
def test_what_is_no_tensor_is_named_and_refused(torch: Any, saved: Any, told: str) -> None:
    torch.saved = saved
    with pytest.raises(ValueError, match=f"Expected a plain state dict of tensors. Received: .*{told}"):
        checkpoint.read(FILE, ("state_dict",))
