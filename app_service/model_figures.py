"""What the portal itself has seen of each version: reviewers' verdicts, and how a shadow agrees."""

from sqlalchemy import Engine

from app_service.storage.database import reading
from app_service.storage.reviews import count_verdicts
from app_service.storage.shadow_results import Agreement, agreements
from portal_wire.contract import Model, ModelVersion


def with_figures(engine: Engine, models: list[Model]) -> list[Model]:
    """The models with `reviews` of every version, and the agreement of each with the version that is active now."""
    with reading(engine) as connection:
        verdicts, agreed = count_verdicts(connection), agreements(connection)
    return [
        model.model_copy(
            update={
                "versions": [
                    _seen(
                        one,
                        verdicts.get((model.name, one.version), {}),
                        agreed.get((model.name, one.version, model.active_version)),
                    )
                    for one in model.versions
                ]
            }
        )
        for model in models
    ]


def _seen(version: ModelVersion, reviews: dict[str, int], agreement: Agreement | None) -> ModelVersion:
    figures: dict[str, object] = {"reviews": reviews}
    if agreement:
        figures |= {"compared": agreement.n, "same_label": agreement.same_label}
        figures |= {"mean_difference": agreement.mean_difference}
    return version.model_copy(update=figures)
