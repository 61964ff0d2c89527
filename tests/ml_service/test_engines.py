"""Whatever computes a network, it computes the same; and which engine does is chosen once, before Keras is loaded."""

import gc
import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray

from ml_service import engines
from ml_service import manifest as manifests
from ml_service.checks import open_version
from ml_service.engines import Outputs, open_network, openvino, tensorflow
from ml_service.manifest import read
from ml_service.served import Served
from ml_service.settings import SHIPPED, Settings
from ml_service.tasks.decode import grey_plane
from ml_service.tasks.film import frame, network_input
from portal_wire.env import SettingsError
from portal_wire.logs import JsonLines

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent for path in SHIPPED.glob(f"*/*/{manifests.FILE}"))
VERSIONS = [folder for folder in FOLDERS if isinstance(manifests.read_any(folder), manifests.Manifest)]
# Builds and runs a network as the tier does on a processor: without TensorFlow in the process.
ALONE = """
import sys
from pathlib import Path
import numpy as np
from ml_service import engines, manifest
folder, asked = Path(sys.argv[1]), sys.argv[2]
engines.settle(asked, folder.parents[1])
network = engines.open_network(manifest.read(folder), folder, asked)
out = network(np.load(sys.argv[3]))
np.savez(sys.argv[4], **out._asdict())
print(network.engine, "tensorflow" in sys.modules)
"""
CHOSEN = """
import os, sys
from pathlib import Path
from ml_service import engines
engines.settle("openvino", Path(sys.argv[1]))
print(os.environ["KERAS_BACKEND"])
"""


def pictures(side: int) -> NDArray[np.float32]:
    """The golden films of the first version, and noise."""
    files = sorted((SHIPPED / "pneumonia" / "1" / "golden").glob("*.[jp][pn]g"))
    return np.stack([network_input(frame(grey_plane(file.read_bytes())), side) for file in files])


def alone(folder: Path, asked: str, tmp_path: Path) -> tuple[list[str], Outputs]:
    """What another process says: engine and whether TensorFlow was loaded; and its outputs."""
    np.save(tmp_path / "in.npy", pictures(manifests.read(folder).side))
    command = [sys.executable, "-c", ALONE, str(folder), asked, str(tmp_path / "in.npy"), str(tmp_path / "out.npz")]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert said.returncode == 0, said.stderr
    with np.load(tmp_path / "out.npz") as out:
        return said.stdout.split()[-2:], Outputs(*(out[name] for name in Outputs._fields))


def assert_same(came: Outputs, expected: Outputs, within: float = 1e-3) -> None:
    for name in Outputs._fields:
        np.testing.assert_allclose(getattr(came, name), getattr(expected, name), atol=within, err_msg=name)


@pytest.mark.parametrize("folder", VERSIONS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_openvino_computes_what_tensorflow_does(folder: Path, tmp_path: Path) -> None:
    exact = manifests.read(folder).model_copy(update={"precision": "f32"})
    pixels = pictures(exact.side)
    expected = tensorflow.Network(exact, folder)(pixels)
    assert_same(openvino.Network(exact, folder)(pixels), expected)


@pytest.mark.parametrize(("asked", "loaded"), [("openvino", "False"), ("tensorflow", "True")])
def test_each_engine_alone_gives_the_same(asked: str, loaded: str, tmp_path: Path) -> None:
    """Trap: an engine that is only right while another one is in the process."""
    folder = tmp_path / "models" / "pneumonia" / "1"
    shutil.copytree(SHIPPED / "pneumonia" / "1", folder)
    facts = json.loads((folder / manifests.FILE).read_text()) | {"precision": "f32"}
    (folder / manifests.FILE).write_text(json.dumps(facts))
    said, came = alone(folder, asked, tmp_path)
    assert said == [asked, loaded]
    manifest = manifests.read(folder)
    assert_same(came, tensorflow.Network(manifest, folder)(pictures(manifest.side)))


INT8 = [folder for folder in VERSIONS if (folder / manifests.INT8).exists()]


@pytest.mark.parametrize("folder", INT8, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_the_8_bit_form_says_about_the_same_and_less_than_it_is_never_imitated(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = manifests.read(folder).model_copy(update={"precision": "int8"})
    monkeypatch.setattr(openvino, "_has_instructions", lambda core, precision: True)
    pixels = pictures(manifest.side)
    rounded, exact = openvino.Network(manifest, folder), tensorflow.Network(manifest, folder)
    assert rounded.precision == "int8"
    difference = np.abs(rounded(pixels).logits - exact(pixels).logits)
    assert 0 < difference.max() < 0.6
    monkeypatch.setattr(openvino, "_has_instructions", lambda core, precision: False)
    without = openvino.Network(manifest, folder)
    assert without.precision == "f32"
    assert_same(without(pixels), exact(pixels))


@pytest.mark.parametrize("able", [("int8", "bf16"), ("int8",), ()], ids="+".join)
@pytest.mark.parametrize("folder", INT8, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_a_version_with_an_8_bit_form_is_fit_with_and_without_it(
    folder: Path, able: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino, "_has_instructions", lambda core, precision: precision in able)
    served = open_version(folder, Settings(service_token=None))  # raises Unfit for other golden answers
    assert served.network.precision == ("int8" if able else "f32")
    served.close()


def test_on_openvino_a_pass_takes_few_requests_and_a_large_request_stays_whole() -> None:
    served = open_version(SHIPPED / "pneumonia" / "1", Settings(service_token=None, engine="openvino"))
    assert isinstance(served, Served)
    side = served.manifest.side
    futures = [served.batcher.submit(np.zeros((rows, side, side, 1), np.float32), 60) for rows in (16, *[1] * 15, 8)]
    together = [future.result(60).batch_rows for future in futures]
    served.close()
    assert (together[0], together[-1]) == (16, 8)
    assert max(together[1:-1]) == openvino.ROWS


def test_a_pass_does_not_overwrite_the_one_before() -> None:
    """Trap: outputs that are views of the engine's own memory."""
    folder = SHIPPED / "pneumonia" / "1"
    manifest = manifests.read(folder)
    pixels = pictures(manifest.side)
    network = openvino.Network(manifest, folder)
    first = network(pixels[:1])
    kept = Outputs(*(part.copy() for part in first))
    network(pixels[1:2])
    assert_same(first, kept, 0)


def test_a_model_may_name_its_engine() -> None:
    folder = SHIPPED / "pneumonia" / "1"
    manifest = manifests.read(folder)
    named = manifest.model_copy(update={"engine": "tensorflow"})
    assert open_network(named, folder, "openvino").engine == "tensorflow"
    assert open_network(manifest, folder, "openvino").engine == "openvino"
    assert open_network(manifest, folder, "tensorflow").engine == "tensorflow"


@pytest.mark.parametrize(
    ("device", "seen", "chosen"),
    [
        (None, 1, "openvino"),
        ("nvidia0", 1, "tensorflow"),
        ("kfd", 1, "tensorflow"),
        ("nvidia0", 0, "openvino"),  # a driver, and a TensorFlow that was built without its libraries
        ("nvidiactl", 1, "openvino"),  # the driver's own file: no card
    ],
)
def test_a_card_is_used_where_tensorflow_sees_it(
    device: str | None, seen: int, chosen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No machine of ours has a card, so its device file is made up and TensorFlow's list is given."""
    asked: list[str] = []

    def devices(kind: str) -> list[str]:
        asked.append(kind)
        return ["a card"] * seen

    if device:
        (tmp_path / device).touch()
    monkeypatch.setattr(engines, "DEVICES", tmp_path)
    monkeypatch.setattr("tensorflow.config.list_physical_devices", devices)
    engines._has_card.cache_clear()
    try:
        assert engines.usual("auto") == chosen
        assert engines.usual("openvino") == "openvino" and engines.usual("tensorflow") == "tensorflow"
    finally:
        engines._has_card.cache_clear()
    assert asked == (["GPU"] if device in ("nvidia0", "kfd") else [])  # else TensorFlow is not even loaded


@pytest.mark.parametrize(
    ("asked", "cards", "device"),
    [
        ("openvino", [], ov.Core().get_property("CPU", "FULL_DEVICE_NAME").strip()),
        ("tensorflow", [], "CPU"),
        ("tensorflow", ["a card"], "Graphics 1000"),
    ],
    ids=["openvino", "tensorflow", "tensorflow on a card"],
)
def test_the_log_says_what_computes_a_version(
    asked: str, cards: list[str], device: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The card is made up here too: TensorFlow's list of them, and what it says of one."""
    monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda kind: cards)
    details = {"device_name": "Graphics 1000"}
    monkeypatch.setattr("tensorflow.config.experimental.get_device_details", lambda card: details)
    folder = SHIPPED / "pneumonia" / "1"
    exact = manifests.read(folder).model_copy(update={"precision": "f32"})
    logger = logging.getLogger("lightbox.ml")
    logger.addHandler(caplog.handler)
    try:
        with caplog.at_level(logging.INFO, "lightbox.ml"):
            open_network(exact, folder, asked)
    finally:
        logger.removeHandler(caplog.handler)
    said = [json.loads(JsonLines().format(record)) for record in caplog.records if record.msg == "network built"]
    assert said and {"engine": asked, "device": device, "precision": "f32"}.items() <= said[0].items()
    assert (said[0]["model"], said[0]["version"], said[0]["level"]) == ("pneumonia", "1", "INFO")


def test_one_model_that_needs_tensorflow_brings_it_for_all(tmp_path: Path) -> None:
    for name, engine in (("a", None), ("b", "tensorflow")):
        (tmp_path / name / "1").mkdir(parents=True)
        facts = json.loads((SHIPPED / "pneumonia" / "1" / manifests.FILE).read_text()) | {"engine": engine}
        (tmp_path / name / "1" / manifests.FILE).write_text(json.dumps(facts))
    (tmp_path / "a" / "2").mkdir()
    (tmp_path / "a" / "2" / manifests.FILE).write_text("{}")  # the registry reports it
    command = [sys.executable, "-c", CHOSEN]
    for folder, backend in ((tmp_path, "tensorflow"), (SHIPPED, "openvino")):
        said = subprocess.run([*command, folder], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
        assert said.stdout.strip() == backend


def test_the_tier_chooses_before_keras_is_loaded() -> None:
    """Importing the application must load neither Keras nor TensorFlow: the choice would come too late."""
    code = "import sys, ml_service.web; print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_an_unknown_engine_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTBOX_ML_SERVICE_TOKEN", "secret")
    monkeypatch.setenv("LIGHTBOX_ML_ENGINE", "openvino")
    assert Settings.from_environment().engine == "openvino"
    monkeypatch.setenv("LIGHTBOX_ML_ENGINE", "abacus")
    with pytest.raises(SettingsError, match="LIGHTBOX_ML_ENGINE"):
        Settings.from_environment()


@pytest.mark.parametrize("key", json.loads((ROOT / "benchmarks" / "results" / "engines.json").read_text()))
def test_a_version_has_the_precision_that_the_measured_table_gives_it(key: str) -> None:
    table = json.loads((ROOT / "benchmarks" / "results" / "engines.json").read_text())
    assert manifests.read(SHIPPED / key).precision == table[key]["precision"]


def test_the_answer_stays_when_the_memory_of_the_network_that_was_built_is_used_again() -> None:
    """OpenVINO reads its weights again for another batch size; those that it shared had become something else."""
    folder = SHIPPED / "pneumonia" / "2"
    network = openvino.Network(read(folder), folder)
    films = np.random.default_rng(0).normal(size=(4, network.side, network.side, 1)).astype(np.float32)
    before = network(films[:1]).features
    keras.backend.clear_session()
    gc.collect()
    sizes = [weights.size for weights in np.load(folder / "weights.npz").values()]
    _taken = [np.ones(size, np.float32) for size in sizes for _ in range(4)]
    np.testing.assert_allclose(network(films).features[:1], before, atol=1e-2)
