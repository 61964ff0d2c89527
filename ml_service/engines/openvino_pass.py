"""One pass of an OpenVINO network that either runs or raises."""

from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray


def run_pass(request: "ov.InferRequest", inputs: dict[int, NDArray[np.float32]]) -> Any:
    """Returns the outputs by name or number; the request's next pass overwrites them. Raises RuntimeError when the
    network did not run.

    Not `request.infer(inputs)`: its errors are lost (OpenVINO 2026.4.1, Python), so that a process without memory for
    a pass was given the outputs of the pass before, another patient's answer.
    """
    request.start_async({number: np.ascontiguousarray(each) for number, each in inputs.items()}, share_inputs=True)
    request.wait()
    return request.results
