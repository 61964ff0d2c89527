"""What an import job tells of each file, as notices for the doctor. Names of files stay out: one is enough to say."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from portal_wire.contract import Notice

FAILED, NOT_PRIMARY, INCOMPLETE = "import_failed", "import_not_primary", "import_incomplete"
_LONGEST = 300


def notices_of(summary: dict[str, Any], failures: Iterable[str], successes: Iterable[str]) -> list[Notice]:
    """From `jobSummary` of job-output-manifest.json and the lines of failure.ndjson and success.ndjson. None where all
    went well."""
    told = [
        Notice(code=FAILED, detail=f"HealthImaging did not take the DICOM result: {_reason(each.get('exception'))}")
        for each in _read(failures)
    ]
    for each in _read(successes):
        if (each.get("importResponse") or {}).get("isPrimary") is False:
            text = (
                "HealthImaging keeps the DICOM result beside its series: what it says of the patient or study differs."
            )
            told.append(Notice(code=NOT_PRIMARY, detail=text))
    missing = int(summary.get("numberOfScannedFiles", 0)) - int(summary.get("numberOfImportedFiles", 0))
    if not told and (missing > 0 or not summary.get("numberOfScannedFiles")):
        told.append(
            Notice(code=INCOMPLETE, detail="HealthImaging did not take the DICOM result, and does not say why.")
        )
    return told


def _reason(exception: Any) -> str:
    said = exception if isinstance(exception, dict) else {}
    text = str(said.get("message") or said.get("exceptionType") or "it does not say why")
    return "".join(character for character in text if character.isprintable())[:_LONGEST]


def _read(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """A line that is no JSON is one that says nothing: the counts of the summary still tell of it."""
    for line in lines:
        for spelt in (line, line.replace(": True", ": true").replace(": False", ": false")):  # as AWS's own example
            try:
                found = json.loads(spelt)
            except ValueError:
                continue
            if isinstance(found, dict):
                yield found
            break
