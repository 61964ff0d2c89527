"""The Open Inference Protocol v2 with the binary tensor data extension: bytes of a request to tensors and
tensors to bytes of an answer. Knows nothing of Flask or of models.

https://github.com/kserve/open-inference-protocol
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
Stock clients send no Content-Type with a binary request, so only Inference-Header-Content-Length counts.
"""

import base64
import json
import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from portal_wire.errors import BadRequest

HEADER_LENGTH = "Inference-Header-Content-Length"
_NUMBER = re.compile(r"[0-9]{1,12}")
Numbers = NDArray[np.float32] | NDArray[np.int32]
Value = Numbers | list[bytes]
_KINDS: dict[str, Any] = {"FP32": np.float32, "INT32": np.int32}


@dataclass(frozen=True)
class Tensor:
    """A named input or output; `data` is float32 or int32 of `shape`, or a list of byte strings."""

    name: str
    datatype: str  # FP32, INT32 or BYTES
    shape: tuple[int, ...]
    data: Value
    text: bool = False  # BYTES that are UTF-8, so plain in JSON; others travel there as base64


@dataclass(frozen=True)
class Wanted:
    """An output that was asked for."""

    name: str
    binary: bool


@dataclass(frozen=True)
class Inference:
    """A request."""

    id: str | None
    inputs: dict[str, Tensor]
    wanted: tuple[Wanted, ...]  # empty: the model's usual outputs
    binary_by_default: bool
    parameters: dict[str, Any]


def read_request(body: bytes | bytearray, header_length: str | None) -> Inference:
    """Returns the request. Raises BadRequest saying what was expected and what came."""
    split = _length(header_length, len(body))
    try:
        head = json.loads(body[:split])
    except (ValueError, RecursionError):
        raise BadRequest("Expected a JSON object at the start of the request; it does not parse.") from None
    if not isinstance(head, dict) or not isinstance(head.get("inputs"), list):
        raise BadRequest("Expected a JSON object with a list `inputs`.")
    tail = memoryview(body)[split:]
    inputs: dict[str, Tensor] = {}
    for entry in head["inputs"]:
        tensor, tail = _read_input(entry, tail)
        inputs[tensor.name] = tensor
    if tail:
        raise BadRequest(f"Expected no bytes after the last tensor. Received: {len(tail)}.")
    parameters = _object(head.get("parameters", {}), "parameters")
    by_default = parameters.get("binary_data_output", False) is True
    wanted = tuple(_read_wanted(entry, by_default) for entry in head.get("outputs") or [])
    name = head.get("id")
    return Inference(str(name) if name else None, inputs, wanted, by_default, parameters)


def write_answer(facts: dict[str, Any], tensors: Sequence[tuple[Tensor, bool]]) -> tuple[bytes, int | None]:
    """Returns the body, and the length of its JSON part when a tensor is binary (else None).

    `facts` is model_name, model_version and id; each tensor comes with whether it travels as binary.
    """
    outputs, tail = [], b""
    for tensor, binary in tensors:
        entry: dict[str, Any] = {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
        if binary:
            blob = _to_binary(tensor.data)
            entry["parameters"] = {"binary_data_size": len(blob)}
            tail += blob
        else:
            entry["data"] = _to_json(tensor)
        outputs.append(entry)
    head = json.dumps(facts | {"outputs": outputs}, allow_nan=False).encode()
    return head + tail, len(head) if tail else None


def _length(header: str | None, total: int) -> int:
    if header is None:
        return total
    if not _NUMBER.fullmatch(header) or int(header) > total:
        raise BadRequest(f"Expected {HEADER_LENGTH} as a number up to the length of the body, {total}.")
    return int(header)


def _read_input(entry: object, tail: memoryview) -> tuple[Tensor, memoryview]:
    """Returns the tensor and what is left of the binary part."""
    fields = _object(entry, "an input")
    name, datatype, shape = fields.get("name"), fields.get("datatype"), fields.get("shape")
    if not isinstance(name, str) or datatype not in (*_KINDS, "BYTES"):
        raise BadRequest("Expected each input with a name and datatype FP32, INT32 or BYTES.")
    if not isinstance(shape, list) or not all(type(size) is int and 0 < size < 2**31 for size in shape):
        raise BadRequest(f"Input {name}: expected `shape` as a list of positive numbers.")
    count = math.prod(shape)
    size = _object(fields.get("parameters", {}), "parameters").get("binary_data_size")
    if size is None:
        return Tensor(name, datatype, tuple(shape), _from_json(name, datatype, shape, count, fields.get("data"))), tail
    if type(size) is not int or not 0 <= size <= len(tail):
        raise BadRequest(f"Input {name}: expected binary_data_size up to the {len(tail)} bytes that follow.")
    blob, rest = tail[:size], tail[size:]
    data = _byte_strings(name, blob, count) if datatype == "BYTES" else _numbers(name, datatype, blob, shape, count)
    return Tensor(name, datatype, tuple(shape), data), rest


def _numbers(name: str, datatype: str, blob: memoryview, shape: list[int], count: int) -> Numbers:
    if len(blob) != 4 * count:
        raise BadRequest(f"Input {name}: expected {4 * count} bytes for its shape. Received: {len(blob)}.")
    kind = _KINDS[datatype]
    numbers: Numbers = np.frombuffer(blob, np.dtype(kind).newbyteorder("<")).reshape(shape).astype(kind, copy=False)
    return numbers


def _byte_strings(name: str, blob: memoryview, count: int) -> list[bytes]:
    """Each element is a little-endian 32-bit length and that many bytes."""
    strings, at = [], 0
    while at + 4 <= len(blob):
        (length,) = struct.unpack_from("<I", blob, at)
        strings.append(bytes(blob[at + 4 : at + 4 + length]))
        at += 4 + length
    if at != len(blob) or len(strings) != count:
        raise BadRequest(f"Input {name}: expected {count} elements, each its length (4 bytes) and its bytes.")
    return strings


def _from_json(name: str, datatype: str, shape: list[int], count: int, data: object) -> Value:
    if not isinstance(data, list):
        raise BadRequest(f"Input {name}: expected `data` as a list, or binary_data_size.")
    if datatype != "BYTES":
        try:
            values: Numbers = np.asarray(data, _KINDS[datatype])
        except (ValueError, TypeError, OverflowError):
            raise BadRequest(f"Input {name}: expected numbers.") from None
        if values.size != count:
            raise BadRequest(f"Input {name}: expected {count} numbers for its shape. Received: {values.size}.")
        return values.reshape(shape)
    try:
        strings = [base64.b64decode(element, validate=True) for element in data]
    except (ValueError, TypeError):
        raise BadRequest(f"Input {name}: in JSON, expected BYTES as base64 text.") from None
    if len(strings) != count:
        raise BadRequest(f"Input {name}: expected {count} elements. Received: {len(strings)}.")
    return strings


def _read_wanted(entry: object, by_default: bool) -> Wanted:
    fields = _object(entry, "an output")
    binary = _object(fields.get("parameters", {}), "parameters").get("binary_data", by_default)
    return Wanted(str(fields.get("name")), binary is True)


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest(f"Expected {what} as a JSON object.")
    return value


def _to_binary(data: Value) -> bytes:
    if isinstance(data, list):
        return b"".join(struct.pack("<I", len(element)) + element for element in data)
    return data.astype("<f4").tobytes()


def _to_json(tensor: Tensor) -> list[Any]:
    """FP32 as numbers, with null for NaN (JSON has none)."""
    if isinstance(tensor.data, list):
        return [e.decode() if tensor.text else base64.b64encode(e).decode() for e in tensor.data]
    return [float(value) if math.isfinite(value) else None for value in tensor.data.ravel()]
