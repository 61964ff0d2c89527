"""Compose, Kubernetes, KServe and the pipeline: closed by default, and at one with the network matrix and the code."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from command_line.__main__ import main as lightbox

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "containers"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yml").read_text(encoding="utf-8"))
OURS = {"nginx", "ui", "prepare", "intake", "app", "worker", "watcher", "ml"}
KUBERNETES: list[dict[str, Any]] = [
    part
    for file in sorted((FOLDER / "kubernetes").glob("*.yml"))
    for part in yaml.safe_load_all(file.read_text(encoding="utf-8"))
]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TIER_OF = {"worker": "app", "watcher": "app"}  # they stand on App's host


def pods() -> list[dict[str, Any]]:
    return [part["spec"]["template"]["spec"] for part in KUBERNETES if part["kind"] == "Deployment"]


def containers() -> list[dict[str, Any]]:
    runtime = [part["spec"] for part in KUBERNETES if part["kind"] == "ServingRuntime"]
    return [c for pod in [*pods(), *runtime] for c in [*pod.get("initContainers", []), *pod["containers"]]]


def test_compose_has_the_portal_and_the_real_servers() -> None:
    assert set(COMPOSE["services"]) == OURS | {"redis", "postgresql", "prometheus", "grafana"}


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_a_service_is_read_only_and_without_rights(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "${" in service["image"] or re.search(r":v?\d+\.\d+(\.\d+)?", service["image"]), "pinned by version"


def test_only_the_edge_is_reached_from_other_machines() -> None:
    ports = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    assert ports == {"nginx": ["8443:8443"], "grafana": ["127.0.0.1:3000:3000"]}


def test_ui_reaches_neither_redis_nor_the_database_nor_ml() -> None:
    networks = {name: set(service.get("networks", [])) for name, service in COMPOSE["services"].items()}
    assert not networks["ui"] & (networks["redis"] | networks["postgresql"] | networks["ml"] - {"pages", "api"})
    assert not networks["nginx"] & networks["ml"] and not networks["ml"] & networks["redis"]
    assert COMPOSE["services"]["intake"]["network_mode"] == "none"


def test_grafana_finds_prometheus_and_every_dashboard() -> None:
    grafana, prometheus = COMPOSE["services"]["grafana"], COMPOSE["services"]["prometheus"]
    mounted = {parts[1]: (FOLDER / parts[0]).resolve() for parts in (v.split(":") for v in grafana["volumes"])}
    told = Path("/etc/grafana/provisioning")
    assert mounted[str(told / "dashboards")] == ROOT / "monitoring" / "grafana" / "provisioning" / "dashboards"
    (provider,) = yaml.safe_load((mounted[str(told / "dashboards")] / "lightbox.yml").read_text())["providers"]
    assert list(mounted[provider["options"]["path"]].glob("*.json"))
    (source,) = yaml.safe_load(mounted[str(told / "datasources" / "lightbox.yml")].read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090" and set(grafana["networks"]) & set(prometheus["networks"])
    on_hosts = ROOT / "monitoring" / "grafana" / "provisioning" / "datasources" / "lightbox.yml"
    (theirs,) = yaml.safe_load(on_hosts.read_text())["datasources"]
    assert source == theirs | {"url": source["url"]}


def test_prometheus_reaches_each_tier_under_the_name_that_it_scrapes() -> None:
    services = COMPOSE["services"]
    for entry in yaml.safe_load((FOLDER / "targets" / "tiers.yml").read_text()):
        for target in entry["targets"]:
            name = target.partition(":")[0]
            assert set(services[name]["networks"]) & set(services["prometheus"]["networks"]), target


def test_images_arrive_by_themselves_only_where_somebody_asks_for_it() -> None:
    """And then by the command as it is: `lightbox` is asked whether it understands each."""
    watcher = COMPOSE["services"]["watcher"]
    assert watcher["profiles"] == ["incoming"] and set(watcher["secrets"]) == {"app_service_token", "incoming_token"}
    (pod,) = [part["spec"] for part in KUBERNETES if part["metadata"]["name"] == "watcher"]
    assert pod["replicas"] == 0
    (container,) = pod["template"]["spec"]["containers"]
    for command in (watcher["command"], container["command"]):
        assert command[:3] == ["python", "-m", "command_line"]
        told = [re.sub(r"\$\{\w+:-(.*)\}", r"\1", word) for word in command[3:]]
        settings = {"LIGHTBOX_APP_SERVICE_TOKEN": "t", "LIGHTBOX_TOKEN": "t"}
        done = CliRunner(env=settings).invoke(lightbox, [*told, "--help"])
        assert done.exit_code == 0 and "PLACE/incoming" in done.output, done.output


def test_no_secret_stands_in_compose() -> None:
    for name, service in COMPOSE["services"].items():
        for variable in service.get("environment") or {}:
            if re.search(r"TOKEN|PASSWORD|SECRET", variable):
                assert variable.endswith("_FILE"), (name, variable)


def settings_of_the_code() -> set[str]:
    return set(re.findall(r"^# (LIGHTBOX_\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))


def test_every_setting_that_is_given_is_one() -> None:
    text = "".join(
        file.read_text(encoding="utf-8") for file in FOLDER.rglob("*") if file.suffix in (".yml", ".Dockerfile")
    )
    given = {name.removesuffix("_FILE") for name in re.findall(r"LIGHTBOX_[A-Z0-9_]+", text)}
    of_compose = {"VERSION", "REGISTRY", "INCOMING", "INCOMING_QUEUE", "INCOMING_FOLDER"}
    assert given - {f"LIGHTBOX_{name}" for name in of_compose} <= settings_of_the_code()


def test_compose_passes_on_whatever_it_does_not_settle() -> None:
    site = [{"path": "settings.env", "required": False}]
    assert {name for name in OURS if COMPOSE["services"][name].get("env_file") == site} == OURS
    for name in ("app", "worker", "prepare"):
        service = COMPOSE["services"][name]
        given = {
            file.removeprefix("/run/secrets/") for file in service["environment"].values() if "/run/secrets/" in file
        }
        assert {"store_key", "oidc_client_secret"} <= given == set(service["secrets"]) <= set(COMPOSE["secrets"])


def test_every_pod_keeps_to_the_strictest_standard() -> None:
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True and pod["automountServiceAccountToken"] is False
    for container in containers():
        rights = container["securityContext"]
        assert rights["readOnlyRootFilesystem"] and rights["allowPrivilegeEscalation"] is False
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert set(container["resources"]) == {"requests", "limits"}
        assert re.fullmatch(r"lightbox/[a-z-]+:\d+\.\d+\.\d+", container["image"])


def test_ml_grows_with_the_age_of_the_queue() -> None:
    scalers = {
        part["metadata"]["name"]: part["spec"] for part in KUBERNETES if part["kind"] == "HorizontalPodAutoscaler"
    }
    assert scalers["ml"]["metrics"][0]["external"]["metric"]["name"] == "lightbox_app_queue_oldest_seconds"
    metrics = (ROOT / "app_service" / "running" / "metrics.py").read_text(encoding="utf-8")
    for scaler in scalers.values():
        for metric in scaler["metrics"]:
            if metric["type"] == "External":
                assert f'"{metric["external"]["metric"]["name"]}"' in metrics


def test_cloud_run_says_which_port_the_portal_listens_on(tmp_path: Path) -> None:
    """The command as it stands, with a stand-in for Python that tells what it was given."""
    (container,) = yaml.safe_load((FOLDER / "cloud-run.yml").read_text())["spec"]["template"]["spec"]["containers"]
    stand_in = tmp_path / "python"
    stand_in.write_text('#!/bin/sh\necho "$LIGHTBOX_PLAIN_PORT $*"\n')
    stand_in.chmod(0o755)
    told = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PORT": "8123"}
    told |= {each["name"]: each["value"] for each in container["env"] if "value" in each}
    done = subprocess.run(container["command"], env=told, capture_output=True, text=True, check=True, timeout=10)
    assert done.stdout == "8123 -m launcher\n"


def test_lambda_and_its_adapter_speak_of_one_port() -> None:
    text = (FOLDER / "all-in-one.Dockerfile").read_text()
    told = dict(re.findall(r"(AWS_LWA_\w+|LIGHTBOX_PLAIN_PORT)=(\S+)", text))
    assert told["AWS_LWA_PORT"] == told["LIGHTBOX_PLAIN_PORT"] == "8080"
    assert 'LIGHTBOX_PLAIN_PORT: "8080"' in (FOLDER / "lambda.yml").read_text()
    assert told["AWS_LWA_READINESS_CHECK_PATH"] == "/healthz"


def test_kserve_runs_every_model_of_the_registry_by_the_protocol_that_it_speaks() -> None:
    (runtime,) = [part["spec"] for part in KUBERNETES if part["kind"] == "ServingRuntime"]
    (service,) = [part["spec"]["predictor"]["model"] for part in KUBERNETES if part["kind"] == "InferenceService"]
    (container,) = runtime["containers"]
    formats = [each["name"] for each in runtime["supportedModelFormats"]]
    assert runtime["protocolVersions"] == ["v2"] and service["modelFormat"]["name"] in formats
    told = {each["name"]: each.get("value") for each in container["env"]}
    assert told["LIGHTBOX_MODEL_DIR"] == "/mnt/models"  # where KServe lays what storageUri names
    assert container["args"][-1].endswith(f":{container['ports'][0]['containerPort']}")


def test_pods_may_be_reached_by_whom_the_matrix_names() -> None:
    matrix = json.loads((ROOT / "terraform" / "network_matrix.json").read_text(encoding="utf-8"))
    allowed = {(rule["from"], rule["to"], rule["port"]) for rule in matrix["rules"]}
    policies = {p["metadata"]["name"]: p["spec"] for p in KUBERNETES if p["kind"] == "NetworkPolicy"}
    assert policies.pop("closed")["podSelector"] == {}
    assert policies.pop("edge")["ingress"] == [{"ports": [{"port": 8443}]}]
    for name, policy in policies.items():
        for opening in policy["ingress"]:
            for source in opening["from"]:
                labels = source.get("podSelector", {}).get("matchLabels", {})
                sender = labels.get("tier", "monitoring")
                for port in opening["ports"]:
                    pair = (TIER_OF.get(sender, sender), TIER_OF.get(name, name), port["port"])
                    assert pair in allowed or pair[0] == pair[1], pair


def test_what_others_wrote_is_pinned_by_its_commit_and_no_key_is_stored() -> None:
    for file in WORKFLOWS:
        text = file.read_text(encoding="utf-8")
        for used in re.findall(r"uses: (\S+)", text):
            assert used.startswith("./") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used), used
        assert "secrets." not in text and "AWS_SECRET_ACCESS_KEY" not in text
        assert yaml.safe_load(text)["permissions"] == {"contents": "read"}


def test_the_pipeline_never_pastes_an_input_into_a_shell() -> None:
    for file in WORKFLOWS:
        for job in yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].values():
            for step in job.get("steps", []):
                assert "${{" not in step.get("run", ""), step


def test_the_published_schemas_agree() -> None:
    program = shutil.which("check-jsonschema")
    if program is None:
        pytest.skip(
            "check-jsonschema is not installed (make .venv/checks/complete): Compose and workflows are not held "
            "against their schemas"
        )
    checks = [("compose-spec", [FOLDER / "compose.yml"]), ("github-workflows", WORKFLOWS)]
    for schema, files in checks:
        command = [program, "--builtin-schema", f"vendor.{schema}", *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout


def test_kubernetes_own_schemas_agree() -> None:
    program = shutil.which("kubernetes-validate")
    if program is None:
        pytest.skip(
            "kubernetes-validate is not installed (make .venv/checks/complete): the manifests are not held against "
            "Kubernetes' schemas"
        )
    files = [str(file) for file in (FOLDER / "kubernetes").glob("*.yml") if file.name != "kserve.yml"]
    done = subprocess.run([program, "--no-warn", *files], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
