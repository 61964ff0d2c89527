"""One pass of an OpenVINO network that either runs, or raises, or ends the process."""

import logging
import os
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray

_LOG = logging.getLogger("lightbox.ml")
PATIENCE_S = 60.0  # a pass takes far less, on a busy machine too


def run_pass(
    request: "ov.InferRequest", inputs: dict[int, NDArray[np.float32]], patience_s: float | None = None
) -> Any:
    """Returns the outputs by name or number; the request's next pass overwrites them. Raises RuntimeError when the
    network did not run.

    Not `request.infer(inputs)`: its errors are lost (OpenVINO 2026.4.1, Python), so that a process without memory for
    a pass was given the outputs of the pass before, another patient's answer. Without memory a pass may also never
    end. Nothing takes it back, and its model would be silent from then on, so the process ends and is started anew.
    """
    patience_s = patience_s or PATIENCE_S
    request.start_async({number: np.ascontiguousarray(each) for number, each in inputs.items()}, share_inputs=True)
    if not request.wait_for(round(patience_s * 1000)):
        _LOG.critical("network_hangs", extra={"facts": {"patience_s": patience_s}})
        os.abort()
    request.wait()  # it has ended: this raises if it failed
    return request.results
