"""Which models may read which study."""

from collections.abc import Iterable

from portal_wire.contract import Model
from portal_wire.errors import Unprocessable

UNKNOWN_MODALITY = "OT"  # DICOM's "other": a PNG or JPEG does not say where it comes from


def suits(model: Model, kind: str, modality: str) -> bool:
    """True when the model reads this kind of study; a study of unknown modality is left to the model's own check."""
    return model.kind in (kind, "any") and (modality == UNKNOWN_MODALITY or modality in model.modalities)


def gives_masks(model: Model) -> bool:
    """True for a model that outlines its labels; one that names findings also has a word for none of them."""
    return model.negative_label is None


def suggested(models: Iterable[Model], preferred: tuple[str, ...], kind: str, modality: str) -> list[Model]:
    """The site's default models that suit a study, in the site's order; none that waits for a person's boxes."""
    by_name = {model.name: model for model in models if not model.prompted}
    return [by_name[name] for name in preferred if name in by_name and suits(by_name[name], kind, modality)]


def prompted(models: Iterable[Model], kind: str, modality: str) -> Model | None:
    """The first model that outlines what boxes are drawn round in such a study."""
    return next((model for model in models if model.prompted and suits(model, kind, modality)), None)


def chosen(
    models: Iterable[Model],
    name: str,
    version: str | None,
    kind: str,
    modality: str,
    boxes: bool = False,
    fast: bool = False,
) -> tuple[str, str]:
    """(name, version) to run. Raises Unprocessable when there is no such model, or it cannot read the study, or there
    are no `boxes` for one that needs them, or some for one that takes none, or it has no `fast` setting."""
    model = next((model for model in models if model.name == name), None)
    if model is None:
        raise Unprocessable("There is no model of this name here.", code="unknown_model")
    asked = next((known for known in model.versions if known.version == version), None)
    if version is not None and asked is None:
        raise Unprocessable("The model has no such version.", code="unknown_version")
    if asked is not None and asked.state == "retired":
        raise Unprocessable("This version of the model is retired.", code="retired_version")
    if not suits(model, kind, modality):
        raise Unprocessable(f"{model.title} does not read {kind}s of this kind.", code="unsuitable_model")
    if model.prompted and not boxes:
        raise Unprocessable(f"{model.title} needs boxes. Draw one on the {kind} first.", code="prompts_missing")
    if boxes and not model.prompted:
        raise Unprocessable(f"prompts: {model.title} takes no boxes.", code="prompts_not_taken")
    if fast and not model.fast:
        raise Unprocessable(f"fast: {model.title} has no fast setting.", code="fast_not_offered")
    return model.name, version or model.active_version
