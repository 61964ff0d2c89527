"""What models would say, in the contract's own shapes."""

import io
from typing import Any

from PIL import Image

from portal_wire.contract import Result, Timings


def outlined(*measurements: dict[str, Any]) -> Result:
    """What a model that gives masks would say."""
    sizes = [{"label": f"structure_{index}", "index": index} | each for index, each in enumerate(measurements, 1)]
    of_masks = {"calibrated": False, "uncertain_band": None, "measurements": sizes}
    return answer("segmented", findings=[], **of_masks)


def answer(label: str = "pneumonia", probability: float = 0.91, **changed: Any) -> Result:
    """What the pneumonia model would say."""
    finding = {"label": "pneumonia", "probability": probability, "threshold": 0.46, "positive": label == "pneumonia"}
    return Result.model_validate(
        {
            "label": label,
            "findings": [finding],
            "calibrated": True,
            "uncertain_band": [0.38, 0.52],
            "in_distribution": True,
            "ood_score": 0.2,
            "warnings": [],
            "timings_s": Timings(queue=0.02, prepare=0.05, network=0.11, interpret=0.03, total=0.34),
            **changed,
        }
    )


def not_answered() -> Result:
    warning = {"code": "not_recognised", "detail": "This does not look like a chest X-ray."}
    return answer("not_answered", findings=[], in_distribution=False, ood_score=9.1, warnings=[warning])


def grey_png(side: int = 400) -> bytes:
    """A soft grey disc on black."""
    image = Image.radial_gradient("L").resize((side, side)).point(lambda value: 255 - value)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
