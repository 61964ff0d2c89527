"""Which number of a label map means which structure, for other programs: CSV (RFC 4180) beside the map."""

import csv
import io
from collections.abc import Mapping

from app_service.exports.structure_colours import colour_of

LABELS = "labels.csv"


def label_table(labels: Mapping[int, str]) -> bytes:
    """UTF-8, the background first; colours are those of the viewers, #rrggbb."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["value", "structure", "colour"])
    writer.writerow([0, "background", ""])
    for index, label in sorted(labels.items()):
        writer.writerow([index, label, colour_of(index)])
    return text.getvalue().encode()
