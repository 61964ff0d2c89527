"""Bytes to tensors and back, without a server."""

import base64
import json
import struct

import numpy as np
import pytest

from ml_service.protocol import Tensor, read_request, write_answer
from portal_wire.errors import BadRequest


def binary_study(study: bytes, **more: object) -> tuple[bytes, str]:
    blob = struct.pack("<I", len(study)) + study
    parameters = {"binary_data_size": len(blob)}
    entry = {"name": "study", "shape": [1], "datatype": "BYTES", "parameters": parameters}
    head = json.dumps({"inputs": [entry]} | more).encode()
    return head + blob, str(len(head))


def test_a_binary_study() -> None:
    body, length = binary_study(b"\x00\xffpng", id="seven", outputs=[{"name": "logits"}])
    asked = read_request(body, length)
    assert asked.inputs["study"].data == [b"\x00\xffpng"]
    assert (asked.id, [want.name for want in asked.wanted], asked.wanted[0].binary) == ("seven", ["logits"], False)


def test_a_json_study_is_base64() -> None:
    entry = {"name": "study", "shape": [1], "datatype": "BYTES", "data": [base64.b64encode(b"png").decode()]}
    assert read_request(json.dumps({"inputs": [entry]}).encode(), None).inputs["study"].data == [b"png"]


def test_binary_output_can_be_asked_for_all_outputs() -> None:
    body, length = binary_study(b"x", parameters={"binary_data_output": True}, outputs=[{"name": "logits"}])
    assert read_request(body, length).wanted[0].binary


@pytest.mark.parametrize(
    ("body", "length"),
    [
        (b"", None),
        (b"[]", None),
        (b'{"inputs": 3}', None),
        (b"{}", "999"),
        (b"{}", "-1"),
        (b"{}", "\xb2"),
        (b"{}", "9" * 5000),
        (b"[" * 100_000, None),
        (b'{"inputs":' * 100_000, None),
        (b'{"inputs": [{"name": "a", "datatype": "FP32", "shape": [1], "data": [' + b"9" * 5000 + b"]}]}", None),
        (b'{"inputs": [{"name": "a", "datatype": "FP32", "shape": [1e400], "data": [NaN]}]}', None),
        (b'{"inputs": [{"name": "a", "datatype": "FP32", "shape": [2147483647, 2147483647], "data": []}]}', None),
        (b'{"inputs": [7]}', None),
        (b'{"inputs": [{"name": "a", "datatype": "INT8", "shape": [1], "data": [1]}]}', None),
        (b'{"inputs": [{"name": "a", "datatype": "FP32", "shape": [-1], "data": [1]}]}', None),
        (b'{"inputs": [{"name": "a", "datatype": "FP32", "shape": [2], "data": [1]}]}', None),
        (b'{"inputs": [{"name": "a", "datatype": "FP32", "shape": [1], "data": ["x"]}]}', None),
        (b'{"inputs": [{"name": "a", "datatype": "BYTES", "shape": [1], "data": ["not base64!"]}]}', None),
        (
            b'{"inputs": [{"name": "a", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": 9}}]}',
            None,
        ),
    ],
)
def test_what_is_no_request_is_refused(body: bytes, length: str | None) -> None:
    with pytest.raises(BadRequest):
        read_request(body, length)


def test_a_length_that_lies_is_refused() -> None:
    body, length = binary_study(b"abc")
    torn = bytearray(body)
    torn[int(length)] = 200  # says 200 bytes follow
    with pytest.raises(BadRequest):
        read_request(bytes(torn), length)
    with pytest.raises(BadRequest):
        read_request(body + b"more", length)


def test_an_answer_in_both_forms() -> None:
    logits = Tensor("logits", "FP32", (2, 1), np.array([[1.5], [np.nan]], np.float32))
    findings = Tensor("findings", "BYTES", (1,), [b'{"label": "x"}'], text=True)
    body, length = write_answer({"model_name": "m"}, [(logits, False), (findings, True)])
    assert length is not None
    head = json.loads(body[:length])
    assert head["outputs"][0]["data"] == [1.5, None]
    assert head["outputs"][1]["parameters"] == {"binary_data_size": 18}
    assert body[length:] == struct.pack("<I", 14) + b'{"label": "x"}'


def test_an_answer_without_binary_tensors_is_plain_json() -> None:
    heatmap = Tensor("heatmap", "BYTES", (1,), [b"\xff"])
    body, length = write_answer({"model_name": "m"}, [(heatmap, False)])
    assert length is None
    assert json.loads(body)["outputs"][0]["data"] == [base64.b64encode(b"\xff").decode()]
