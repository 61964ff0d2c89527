"""Which precision a version is served in: the quickest form that says what the exact one does, on validation images."""

import json
from typing import Any

from benchmarks.engines import RESULT, SPLIT, chosen, judged, with_failed
from ml_service import manifest as manifests
from ml_service.settings import SHIPPED

EXACT = {"engine": "tensorflow", "precision": "f32", "auc": 0.99, "accuracy": 0.9, "refused_share": 0.01}
EXACT |= {"golden": True, "batch_ms": 4.0}


def row(precision: str, batch_ms: float, **changes: Any) -> dict[str, Any]:
    return EXACT | {"engine": "openvino", "precision": precision, "batch_ms": batch_ms} | changes


def test_the_quickest_that_stays_within_its_gate_is_chosen() -> None:
    exact, half = row("f32", 3.0), row("bf16", 2.0, accuracy=0.899)
    assert chosen(judged([EXACT, exact, half, row("int8", 1.0, accuracy=0.898)])) == "int8"
    assert chosen(judged([EXACT, exact, half, row("int8", 1.0, accuracy=0.9021)])) == "bf16"  # better is other, too
    assert chosen(judged([EXACT, exact, half, row("int8", 1.0, golden=False)])) == "bf16"
    assert chosen(judged([EXACT, exact, row("bf16", 2.0, refused_share=0.0115)])) == "f32"


def test_a_form_that_failed_stays_in_the_table_and_one_that_passed_goes_with_its_file() -> None:
    failed = judged([EXACT, row("int8", 1.0, auc=0.98)])
    again = judged(with_failed([EXACT, row("f32", 3.0)], failed))
    assert [(one["precision"], one["passes"]) for one in again] == [("f32", True), ("f32", True), ("int8", False)]
    assert chosen(again) == "f32"
    passed = judged([EXACT, row("int8", 1.0)])
    assert [one["precision"] for one in with_failed([EXACT], passed)] == ["f32"]


def test_the_kept_table_was_measured_on_validation_images_alone() -> None:
    """Of those that are measured again with each change. Older rows say that they are of training images, too."""
    table = json.loads(RESULT.read_text())
    assert SPLIT == "val"
    for name, images in (("pneumonia/3", 517), ("pneumonia/5", 517), ("pneumonia/6", 517), ("brain-tumour/3", 633)):
        found = table.pop(name)
        assert found["split"] == SPLIT and {one["images"] for one in found["engines"]} == {images}
        assert chosen(found["engines"]) == found["precision"]
        assert [one["passes"] for one in judged(found["engines"])] == [one["passes"] for one in found["engines"]]
    for found in table.values():
        assert found["split"] in (SPLIT, "train and val")


def test_tensorflow_is_quicker_than_no_row_that_was_chosen() -> None:
    """Or `chosen` would have to weigh it."""
    for name, found in json.loads(RESULT.read_text()).items():
        times = {(row["engine"], row["precision"]): row["batch_ms"] for row in found["engines"]}
        assert times["openvino", found["precision"]] < times["tensorflow", "f32"], name


def test_the_newest_version_of_every_classifier_has_a_row() -> None:
    """Its precision is measured, then, and not only the manifest's default."""
    folders = sorted((path.parent for path in SHIPPED.glob(f"*/*/{manifests.FILE}")), key=lambda one: int(one.name))
    newest = {folder.parent.name: folder for folder in folders}.values()
    told = {f"{folder.parent.name}/{folder.name}": manifests.read_any(folder) for folder in newest}
    classifiers = {name for name, one in told.items() if isinstance(one, manifests.Manifest) and not one.outlines}
    assert len(classifiers) >= 12
    assert classifiers - set(json.loads(RESULT.read_text())) == set()
