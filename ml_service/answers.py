"""From a request's tensors to a version's answer, and back to tensors."""

import json
from concurrent.futures import Future
from typing import Any

import numpy as np

from ml_service import answers_of_masks, answers_of_prompts
from ml_service.batcher import Pass
from ml_service.explain import heatmap_png
from ml_service.manifest import Calibration, Told
from ml_service.protocol import Inference, Tensor, Wanted
from ml_service.served import Seen, Served
from ml_service.served_prompts import ServedPrompts
from ml_service.served_rules import ServedRules
from ml_service.served_volume import ServedVolume
from ml_service.serving import Answering
from ml_service.tasks.verdict import Verdict
from portal_wire.errors import BadRequest, Unprocessable

USUAL = ("probabilities", "logits", "ood_score", "findings")
OUTPUTS = (*USUAL, "heatmap")


def see(served: Answering, asked: Inference, wait_s: float, begun: "list[Future[Pass]]") -> Seen:
    """Runs the request's one input. Raises BadRequest, or Unprocessable for a study that does not decode."""
    fit = site_calibration(asked.parameters, served.manifest)
    fast = answers_of_masks.fast(asked.parameters, served)
    if isinstance(served, ServedPrompts):
        return answers_of_prompts.see(served, asked, wait_s, begun)
    spacing_mm = answers_of_masks.spacing_mm(asked.parameters)
    judged = not asked.wanted or any(want.name != "logits" for want in asked.wanted)
    if set(asked.inputs) == {"study"}:
        study = asked.inputs["study"]
        if study.datatype != "BYTES" or study.shape != (1,) or not isinstance(study.data, list):
            raise BadRequest(f"Input study: expected BYTES [1]. Received: {study.datatype} {list(study.shape)}.")
        try:
            if isinstance(served, ServedVolume):
                return served.see_study(study.data[0], wait_s, begun, fast=fast)
            if isinstance(served, ServedRules):
                return served.see_study(study.data[0], wait_s, begun, fit, spacing_mm)
            return served.see_study(study.data[0], wait_s, begun, fit, spacing_mm, judged)
        except ValueError as error:
            raise Unprocessable(f"Input study: {error}", code="undecodable") from None
    if not isinstance(served, Served) or served.manifest.outlines:
        raise BadRequest(f"Expected one input, study. Received: {len(asked.inputs)}.")
    if set(asked.inputs) == {"pixels"}:
        return served.see_pixels(_pixels(served, asked.inputs["pixels"]), wait_s, begun, fit, judged)
    raise BadRequest(f"Expected one input, study or pixels. Received: {len(asked.inputs)}.")


def site_calibration(parameters: dict[str, Any], manifest: Told) -> Calibration | None:
    """Returns the calibration that a request brings: JSON in the parameter `calibration`, because the protocol's
    parameters are texts, numbers and booleans. None: as shipped. Raises BadRequest for one that does not fit."""
    text = parameters.get("calibration")
    if text is None:
        return None
    if manifest.outlines:
        raise BadRequest("Parameter calibration: this model outlines, and has no probability to calibrate.")
    try:
        fit = Calibration.model_validate_json(text)
    except (ValueError, TypeError):  # whose own words name what came
        raise BadRequest("Parameter calibration: expected the JSON of a calibration of this model.") from None
    offsets = fit.offset if isinstance(fit.offset, tuple) else (fit.offset,)
    if len(offsets) != len(manifest.labels) or not np.isfinite([fit.scale, *offsets]).all():
        raise BadRequest(
            f"Parameter calibration: expected a number of offset for each of {len(manifest.labels)} logits."
        )
    return fit


def _pixels(served: Served, pixels: Tensor) -> "np.ndarray[Any, np.dtype[np.float32]]":
    side = served.manifest.side
    if (
        pixels.datatype != "FP32"
        or isinstance(pixels.data, list)
        or len(pixels.shape) != 4
        or pixels.shape[1:] != (side, side, 1)
    ):
        raise BadRequest(f"Input pixels: expected FP32 [N, {side}, {side}, 1]. Received: {list(pixels.shape)}.")
    if pixels.shape[0] > served.batch_rows:
        raise BadRequest(f"Input pixels: expected at most {served.batch_rows} images. Received: {pixels.shape[0]}.")
    if not np.isfinite(pixels.data).all():
        raise BadRequest("Input pixels: expected finite numbers.")
    return pixels.data.astype(np.float32, copy=False)


def outputs(served: Answering, seen: Seen, asked: Inference) -> list[tuple[Tensor, bool]]:
    """Returns each wanted output and whether it travels as binary. Raises BadRequest for an unknown name."""
    usual = answers_of_masks.USUAL if served.manifest.outlines else USUAL
    wanted = asked.wanted or tuple(Wanted(name, asked.binary_by_default) for name in usual)
    if not isinstance(served, Served) or served.manifest.outlines:
        return [(answers_of_masks.output(seen, want.name), want.binary) for want in wanted]
    return [(_output(served, seen, want.name), want.binary) for want in wanted]


def _output(served: Served, seen: Seen, name: str) -> Tensor:
    count, labels = seen.logits.shape
    if name == "logits":
        return Tensor(name, "FP32", (count, labels), seen.logits)
    if name == "ood_score":
        return Tensor(name, "FP32", (count,), seen.ood_scores)
    if name == "probabilities":
        # A refused image has no probability: NaN, which no one can read as "normal", as they could a 0.
        rows = [[f.probability for f in v.findings] or [float("nan")] * labels for v in seen.verdicts]
        return Tensor(name, "FP32", (count, labels), np.array(rows, np.float32))
    if name == "findings":
        answers = [
            json.dumps(answer(verdict, logits.tolist(), seen, served)).encode()
            for verdict, logits in zip(seen.verdicts, seen.logits, strict=True)
        ]
        return Tensor(name, "BYTES", (count,), answers, text=True)
    if name == "heatmap":
        pictures = [
            heatmap_png(heat[:, :, verdict.shown], served.manifest.heat_scale) if verdict.in_distribution else b""
            for heat, verdict in zip(seen.heat, seen.verdicts, strict=True)  # nothing said, nothing to explain
        ]
        return Tensor(name, "BYTES", (count,), pictures)
    raise BadRequest(f"Expected outputs out of {', '.join(OUTPUTS)}.")


def answer(verdict: Verdict, logits: list[float], seen: Seen, served: Served) -> dict[str, Any]:
    """Returns the model's part of portal_wire.contract.Result; `timings_s` lacks queue and total, which only
    the caller knows. `logits` are what any later calibration starts from; a refused image has none to give."""
    return {
        "label": verdict.label,
        "findings": [finding.model_dump() for finding in verdict.findings],
        "calibrated": True,
        "calibrated_for": "site" if seen.calibration else "shipped",
        "logits": logits if verdict.in_distribution else None,
        "uncertain_band": list((seen.calibration or served.manifest.calibration).uncertain_band),
        "in_distribution": verdict.in_distribution,
        "ood_score": verdict.ood_score,
        "warnings": [warning.model_dump() for warning in verdict.warnings],
        "measurements": [],
        "timings_s": {stage: round(seconds, 6) for stage, seconds in seen.timings_s.items()},
    }


def metadata(served: Answering) -> dict[str, Any]:
    """Returns the protocol's model metadata, with what a caller needs to read the outputs."""
    if not isinstance(served, Served) or served.manifest.outlines:
        return answers_of_masks.metadata(served)
    manifest = served.manifest
    images: list[Any] = [-1, manifest.side, manifest.side, 1]
    shapes = {"probabilities": [-1, len(manifest.labels)], "logits": [-1, len(manifest.labels)]}
    kinds = {"findings": "BYTES", "heatmap": "BYTES"}
    return {
        "name": manifest.name,
        "versions": [manifest.version],
        "platform": "lightbox_keras",
        "inputs": [
            {"name": "study", "datatype": "BYTES", "shape": [1]},
            {"name": "pixels", "datatype": "FP32", "shape": images},
        ],
        "outputs": [
            {"name": name, "datatype": kinds.get(name, "FP32"), "shape": shapes.get(name, [-1])} for name in OUTPUTS
        ],
        "parameters": {
            "labels": list(manifest.labels),
            "negative_label": manifest.negative_label,
            "ood_threshold": manifest.typical.threshold,
            "calibration": manifest.calibration.model_dump(mode="json"),
        },
    }
