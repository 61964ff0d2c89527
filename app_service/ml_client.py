"""The ML tier as the worker sees it: bytes in, findings out (Open Inference Protocol v2 with binary tensors).

https://github.com/kserve/open-inference-protocol and Triton's binary tensor data extension.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import quote

import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from app_service.domain.site import SiteCalibration
from app_service.study_body import StudyBody, size_of
from portal_wire.contract import Model, Prompt
from portal_wire.errors import Conflict, Internal, PortalError, Unavailable, Unprocessable
from portal_wire.http_client import ServiceClient

_LIVE_S = 2.0
_HEADER_LENGTH = "Inference-Header-Content-Length"


@dataclass(frozen=True)
class Reading:
    """What a model said about one study: its findings as JSON and, if it answered, where it looked (PNG) or what it
    outlined (a label map: PNG or .nii.gz)."""

    findings: dict[str, Any]
    heatmap: bytes | None
    mask: bytes | None = None


@dataclass(frozen=True)
class Served:
    """What the ML tier serves, and which (name, version) have passed their checks."""

    models: list[Model]
    ready: set[tuple[str, str]]


def infer(
    client: ServiceClient,
    model: str,
    version: str,
    study: bytes | BinaryIO | None,
    wanted: Sequence[str] = ("findings", "heatmap"),
    calibration: SiteCalibration | None = None,
    *,
    prompts: Sequence[Prompt] = (),
    study_sha256: str | None = None,
    spacing_mm: Sequence[float] | None = None,
    fast: bool = False,
    timeout_s: float | None = None,
    request_id: str | None = None,
) -> Reading:
    """Run a version on a canonical study; `wanted` are the outputs to ask for. With a site's `calibration` in place of
    the shipped one, which the findings then name. `spacing_mm` is that of an image's rows and columns, if known.
    `prompts` for a model that is asked with boxes; such a one may still hold the study of `study_sha256`, and then
    answers without it (None), or raises Conflict `study_not_held`. `fast` for a model that has such a setting. By
    `request_id` others ask how far it is.

    Raises Unavailable when the tier is away or full, still works on another request of this id, or was told to call
    this one off; Internal when it broke off while it worked on this study (which the study may have caused), and the
    other PortalErrors as the tier answers them.
    """
    parameters: dict[str, str | bool] = {"calibration": json.dumps(calibration.parameters)} if calibration else {}
    parameters |= {"spacing_mm": json.dumps(list(spacing_mm))} if spacing_mm else {}
    parameters |= {"fast": True} if fast else {}
    parameters |= {"study_sha256": study_sha256} if study_sha256 else {}
    parameters |= {"through": json.dumps([prompt.through for prompt in prompts])} if prompts else {}
    head, body = _encode(study, wanted, parameters, prompts, request_id)
    path = f"/v2/models/{quote(model)}/versions/{quote(version)}/infer"
    headers = {_HEADER_LENGTH: str(len(head)), "Content-Type": "application/octet-stream"}
    try:
        response = client.request("POST", path, headers=headers, data=body, timeout_s=timeout_s)
    except Unavailable as error:
        if _broke_off(error.__cause__) and not _hangs(client, error.__cause__):
            raise Internal("The model server broke off.", code="model_broke_off") from error
        raise
    except Conflict as error:
        if error.code in ("id_in_use", "cancelled"):  # an attempt that was given back, and is about to end there
            raise Unavailable("The model server gave this up.", code=error.code, retry_after_s=1) from error
        raise
    outputs = _decode(response)
    findings = json.loads(outputs["findings"])
    if (findings.get("calibrated_for") == "site") != (calibration is not None):
        raise Internal("The model server used another calibration than it was asked to.", code="other_calibration")
    findings["calibration"] = calibration.told() if calibration else None
    return Reading(findings, heatmap=outputs.get("heatmap") or None, mask=outputs.get("mask") or None)


def progress(client: ServiceClient, request_id: str) -> float:
    """The share of a request that is done, 0..1. Raises NotFound before it arrives and once it was answered."""
    path = f"/v2/requests/{quote(request_id)}"
    return float(client.request("GET", path, timeout_s=_LIVE_S).json()["progress"])


def call_off(client: ServiceClient, request_id: str) -> None:
    """End a request at its next step. Raises NotFound as `progress` does."""
    client.request("DELETE", f"/v2/requests/{quote(request_id)}", timeout_s=_LIVE_S)


def calibrate(client: ServiceClient, model: str, version: str, cases: dict[str, Any]) -> dict[str, Any]:
    """Fit a version to one site: `calibration` and `evidence` (the ML tier's OpenAPI document describes them).

    Raises Unprocessable when the cases are too few or make no fit.
    """
    if not cases["logits"]:
        raise Unprocessable("There is no case yet whose class is known.", code="too_few_cases")
    path = f"/v2/models/{quote(model)}/versions/{quote(version)}/calibrate"
    made: dict[str, Any] = client.request("POST", path, json=cases).json()
    return made


def list_models(client: ServiceClient) -> Served:
    """Every served model with all its versions. Raises Unavailable when the tier is away."""
    index = client.request("POST", "/v2/repository/index", json={}, timeout_s=5).json()
    names = sorted({entry["name"] for entry in index})
    ready = {(entry["name"], entry["version"]) for entry in index if entry["state"] == "READY"}
    return Served([model for name in names if (model := _card(client, name))], ready)


def load(client: ServiceClient, model: str, version: str) -> None:
    """Check a version and keep it ready. Raises Unavailable with the code model_not_ready for one that is unfit."""
    config = json.dumps({"version_policy": {"specific": {"versions": [version]}}})
    client.request("POST", f"/v2/repository/models/{quote(model)}/load", json={"parameters": {"config": config}})


def unload(client: ServiceClient, model: str, version: str) -> None:
    """Take a version out of service once its requests are answered."""
    body = {"parameters": {"version": version}}
    client.request("POST", f"/v2/repository/models/{quote(model)}/unload", json=body)


def _card(client: ServiceClient, name: str) -> Model | None:
    """The model, or None for one that cannot be described: it must not take the others from the list."""
    try:
        return Model.model_validate(client.request("GET", f"/v2/models/{quote(name)}/card", timeout_s=5).json())
    except Unavailable as error:
        if error.code != "model_not_ready":
            raise
        return None


def _encode(
    study: bytes | BinaryIO | None,
    wanted: Sequence[str],
    parameters: Mapping[str, str | bool],
    prompts: Sequence[Prompt],
    request_id: str | None,
) -> tuple[bytes, bytes | StudyBody]:
    """The request's JSON head, and the whole body."""
    size_bytes = len(study) if isinstance(study, bytes) else size_of(study) if study else 0
    size = struct.pack("<I", size_bytes)
    of_study = {"binary_data_size": len(size) + size_bytes}
    inputs = [{"name": "study", "shape": [1], "datatype": "BYTES", "parameters": of_study}] if study else []
    outputs = [{"name": name, "parameters": {"binary_data": True}} for name in wanted]
    asked: dict[str, Any] = {"inputs": inputs + _of_prompts(prompts), "outputs": outputs}
    if request_id:
        asked["id"] = request_id
    if parameters:
        asked["parameters"] = dict(parameters)
    head = json.dumps(asked).encode()
    if not study:
        return head, head
    return head, head + size + study if isinstance(study, bytes) else StudyBody(head + size, study)


def _of_prompts(prompts: Sequence[Prompt]) -> list[dict[str, Any]]:
    if not prompts:
        return []
    corners = [value for prompt in prompts for value in prompt.box]
    labels = [prompt.label for prompt in prompts]
    shape = [len(prompts), len(prompts[0].box)]
    return [
        {"name": "boxes", "shape": shape, "datatype": "FP32", "data": corners},
        {"name": "labels", "shape": shape[:1], "datatype": "INT32", "data": labels},
    ]


def _decode(response: requests.Response) -> dict[str, bytes]:
    """Each BYTES output's only element."""
    length = int(response.headers.get(_HEADER_LENGTH, len(response.content)))
    rest = memoryview(response.content)[length:]
    found: dict[str, bytes] = {}
    for output in json.loads(response.content[:length])["outputs"]:
        size = output.get("parameters", {}).get("binary_data_size")
        if size is None:
            found[output["name"]] = "".join(output["data"]).encode()
            continue
        found[output["name"]] = bytes(rest[4:size])
        rest = rest[size:]
    return found


def _hangs(client: ServiceClient, cause: BaseException | None) -> bool:
    """True when the time ran out and the server does not even say that it lives: no study is to blame for that."""
    if not isinstance(cause, requests.ReadTimeout):
        return False
    try:
        client.request("GET", "/v2/health/live", timeout_s=_LIVE_S)
    except Unavailable:
        return True
    except PortalError:
        pass
    return False


def _broke_off(cause: BaseException | None) -> bool:
    """True when the connection stood and then failed: the server died or hung over this very request."""
    if cause is None or isinstance(cause, requests.ConnectTimeout):
        return False
    reason = cause.args[0] if cause.args else None
    if isinstance(reason, MaxRetryError):
        return not isinstance(reason.reason, NewConnectionError | ConnectTimeoutError)
    return True
