"""The compose file: of the right form, and nothing in it is open that need not be."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.stopping import LONGEST
from core.settings import REPOSITORY, Settings
from tests.deploy.nginx import SOURCE

DEPLOY = REPOSITORY / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (DEPLOY / ".env.example").read_text(encoding="utf-8")
each_service = pytest.mark.parametrize("name", SERVICES)


def test_it_has_the_form_that_the_compose_specification_gives() -> None:
    tool = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [tool, "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_nginx_can_be_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]
    from_everywhere = [port for port in SERVICES["nginx"]["ports"] if not port.startswith("127.0.0.1:")]
    assert from_everywhere == ["80:8080", "443:8443"]
    assert not [name for name, service in SERVICES.items() if service.get("network_mode")]


def test_what_is_not_for_outside_is_in_networks_without_a_way_out() -> None:
    internal = {name for name, facts in COMPOSE["networks"].items() if facts.get("internal")}
    assert internal == set(COMPOSE["networks"]) - {"outside"}
    for name in ("sglang", "sglang-router", "dcgm-exporter", "redis", "postgres", "prometheus", "grafana"):
        assert set(SERVICES[name]["networks"]) <= internal, name


def test_sglang_is_reached_by_nginx_router_and_prometheus_alone() -> None:
    beside = {name for name, service in SERVICES.items() if set(service["networks"]) & {"embedding"}}
    assert beside == {"sglang", "sglang-router", "nginx", "prometheus"}
    assert "EMBEDDING_URL=http://nginx:30000/v1\n" in EXAMPLE


def test_the_databases_are_reached_by_the_desk_alone() -> None:
    assert {name for name, s in SERVICES.items() if "data" in s["networks"]} == {"desk", "redis", "postgres"}


@each_service
def test_a_service_is_shut_in(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["ulimits"] == {"core": 0}
    assert int(service.get("user", "10001:").split(":")[0]) > 0  # the desk's own user stands in its image
    assert not service.get("privileged")
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["logging"]["options"]["max-size"]
    assert service["restart"] == "unless-stopped"


@each_service
def test_a_service_says_whether_it_is_well_and_waits_for_others_that_are(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD", "no shell"
    for other, facts in service.get("depends_on", {}).items():
        assert facts["condition"] == "service_healthy"
        assert other in SERVICES
        assert facts.get("required", True) is ("profiles" not in SERVICES[other])


@each_service
def test_an_image_has_a_fixed_version(name: str) -> None:
    tag = re.sub(r"\$\{\w+:-(.*)\}", r"\1", SERVICES[name]["image"]).rpartition(":")[2]
    assert re.match(r"v?\d+\.\d+", tag)


def test_no_secret_stands_in_it_and_each_secret_is_a_file() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            is_secret = re.search(r"PASSWORD|SECRET|TOKEN|_KEY$|DATABASE_URL|CACHE_URL", variable)
            assert not is_secret or str(value).startswith(("/run/secrets/", "true")), f"{name}: {variable}"
    assert all(set(facts) == {"file"} for facts in COMPOSE["secrets"].values())
    used = {one if isinstance(one, str) else one["source"] for s in SERVICES.values() for one in s.get("secrets", ())}
    assert used == set(COMPOSE["secrets"])
    assert not re.search(r"(?i)(password|secret|token|_key|database_url|cache_url)\w*=", EXAMPLE)


def test_secrets_and_settings_of_the_desk_are_settings() -> None:
    desk = SERVICES["desk"]
    names = [*desk["environment"], *(one["target"] for one in desk["secrets"])]
    assert set(names) <= {f"TRIAGE_{name.upper()}" for name in Settings.model_fields}


def test_every_variable_has_an_example() -> None:
    assert set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT)) | {"COMPOSE_PROFILES"} == set(
        re.findall(r"^(\w+)=", EXAMPLE, re.MULTILINE)
    )


def test_nginx_is_given_every_value_that_its_templates_need() -> None:
    environment = SERVICES["nginx"]["environment"]
    allowed = re.compile(environment["NGINX_ENVSUBST_FILTER"].replace("$$", "$"))
    needed = {
        name for file in (SOURCE / "templates").iterdir() for name in re.findall(r"\$\{(\w+)\}", file.read_text())
    }
    assert needed == set(environment) - {"NGINX_ENVSUBST_FILTER"}
    assert all(allowed.match(name) for name in needed)
    assert not allowed.match("PATH")


def mounts() -> list[str]:
    listed = [volume for service in SERVICES.values() for volume in service.get("volumes", ())]
    return sorted({volume.split(":")[0] for volume in listed if isinstance(volume, str) and volume.startswith(".")})


@pytest.mark.parametrize("mount", mounts())
def test_what_is_mounted_is_there(mount: str) -> None:
    assert (DEPLOY / mount).exists()


def test_prometheus_asks_services_that_there_are_and_can_reach_them() -> None:
    told = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    hosts = {target.split(":")[0] for job in told for one in job["static_configs"] for target in one["targets"]}
    asked = hosts - {"localhost"}
    assert asked <= set(SERVICES)
    assert not [one for one in asked if not set(SERVICES[one]["networks"]) & set(SERVICES["prometheus"]["networks"])]
    files = {job["authorization"]["credentials_file"] for job in told if "authorization" in job}
    assert files <= {one["target"] for one in SERVICES["prometheus"]["secrets"]}


def test_everything_that_is_mounted_is_read_only_or_a_volume() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            if isinstance(volume, str):
                source, _, _ = volume.partition(":")
                assert source in COMPOSE["volumes"] or volume.endswith(":ro"), f"{name}: {volume}"
            else:
                assert volume["read_only"] is True


def test_the_desk_has_time_to_end() -> None:
    assert int(SERVICES["desk"]["stop_grace_period"].rstrip("s")) > LONGEST + 10


def test_grafana_finds_its_data_source_and_dashboards() -> None:
    folder = DEPLOY / "grafana" / "provisioning"
    source = yaml.safe_load((folder / "datasources" / "prometheus.yaml").read_text())["datasources"][0]
    assert source["url"] == "http://prometheus:9090"
    provider = yaml.safe_load((folder / "dashboards" / "desk.yaml").read_text())["providers"][0]
    assert f"./grafana:{provider['options']['path']}:ro" in SERVICES["grafana"]["volumes"]
