"""Reviewed answers of one version as cases for a fit, and the fit itself, which the ML tier makes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app_service import ml_client
from app_service.domain.site import Case, classes_of, truth
from app_service.storage.site_calibrations import reviewed
from portal_wire.contract import Model, Result
from portal_wire.http_client import ServiceClient


@dataclass(frozen=True)
class Gathered:
    """Cases whose class is known, and how many were left out for which reason."""

    cases: list[Case]
    left_out: dict[str, int]

    def by_class(self, model: Model) -> dict[str, int]:
        """How many cases there are of each class."""
        counted = Counter(case.number for case in self.cases)
        return {name: counted[number] for number, name in enumerate(classes_of(model))}


def gather(connection: Connection, model: Model, version: str) -> Gathered:
    """What reviewers have said about a version's answers. A study counts once, by its latest review."""
    classes, cases, left_out, seen = classes_of(model), [], Counter[str](), set()
    for row in reviewed(connection, model.name, version):
        if row.study_id in seen:
            left_out["reviewed_again"] += 1
            continue
        seen.add(row.study_id)
        result = Result.model_validate(row.result)
        said = truth(result, row.verdict, row.labels, classes)
        if said in classes and result.logits is not None:
            # One file that was uploaded twice is one patient's, too.
            cases.append(Case(result.logits, classes.index(said), row.patient_reference or row.sha256))
        else:
            left_out[said] += 1
    return Gathered(cases, dict(left_out))


def fit(ml: ServiceClient, model: str, version: str, gathered: Gathered) -> dict[str, Any]:
    """`calibration` and `evidence`, which also names what was left out. Only numbers go to the ML tier.

    Raises Unprocessable when there are too few cases, saying how many there are and how many are needed.
    """
    made = ml_client.calibrate(ml, model, version, _numbered(gathered.cases))
    return made | {"evidence": made["evidence"] | {"left_out": gathered.left_out}}


def _numbered(cases: Sequence[Case]) -> dict[str, Any]:
    patients = {name: number for number, name in enumerate(dict.fromkeys(case.patient for case in cases))}
    return {
        "logits": [case.logits for case in cases],
        "classes": [case.number for case in cases],
        "patients": [patients[case.patient] for case in cases],
    }
