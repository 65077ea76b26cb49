"""The manifests of deploy/kubernetes: right for Kubernetes, in agreement with each other, and what they start works."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from support import ROOT
from support.goto_process import Goto
from support.ports import free_port
from support.waiting import PATIENCE, eventually

from goto import __version__
from goto.command.arguments import _parser, run
from goto.registry.worker import DEREGISTER_SECONDS

METRICS = "/goto/metrics"
FOLDER = ROOT / "deploy" / "kubernetes"
KUSTOMIZATIONS = ["base", "sidecar"]
COMPONENTS = ["journal", "monitor", "rules"]
CONFIGURING = ["journal", "rules"]
"""The components that add a file to the configuration of the sidecar."""
VERSIONS = ["1.27", "1.33", kubernetes_validate.latest_version()]
"""An old one that is still met, one of the time of writing, and the newest that is known here."""

Manifest = dict[str, Any]


def read(file: Path) -> list[Manifest]:
    return [document for document in yaml.safe_load_all(file.read_text()) if document]


def kustomization(name: str) -> Manifest:
    (document,) = read(FOLDER / name / "kustomization.yaml")
    return document


def config_map(name: str, generator: Manifest) -> Manifest:
    """What kustomize makes of an item of `configMapGenerator`."""
    data = {file: (FOLDER / name / file).read_text() for file in generator["files"]}
    metadata = {"name": generator["name"], "labels": generator["options"]["labels"]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def manifests(name: str) -> list[Manifest]:
    """All that a kustomization applies."""
    said = kustomization(name)
    found = [manifest for file in said["resources"] for manifest in read(FOLDER / name / file)]
    return found + [config_map(name, generator) for generator in said["configMapGenerator"]]


ALL = [(name, manifest) for name in KUSTOMIZATIONS for manifest in manifests(name)]
WORKLOADS = [manifest for _, manifest in ALL if "template" in manifest.get("spec", {})]
SERVICES = [(name, manifest) for name, manifest in ALL if manifest["kind"] == "Service"]
CONTAINERS = [(workload, container) for workload in WORKLOADS for container in workload["spec"]["template"]["spec"]["containers"]]
GOTOS = [(workload, container) for workload, container in CONTAINERS if container["name"] == "goto"]


def named(item: object) -> str:
    """An id for a parametrized test: kind/name of a manifest, name of a container."""
    if not isinstance(item, dict):
        return str(item)
    return f"{item['kind']}/{item['metadata']['name']}" if "metadata" in item else str(item["name"])


def pod_labels(workload: Manifest) -> dict[str, str]:
    return workload["spec"]["template"]["metadata"]["labels"]


def one(kind: str, name: str) -> Manifest:
    (found,) = [manifest for _, manifest in ALL if manifest["kind"] == kind and manifest["metadata"]["name"] == name]
    return found


def goto_of(workload: Manifest) -> Manifest:
    (container,) = [container for owner, container in GOTOS if owner is workload]
    return container


def ports(container: Manifest) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in container["ports"]}


# ---------------------------------------------------------------- as Kubernetes sees them
def test_there_is_what_was_promised():
    kinds = sorted((name, manifest["kind"], manifest["metadata"]["name"]) for name, manifest in ALL)
    assert kinds == [
        ("base", "ConfigMap", "goto-worker"),
        ("base", "Deployment", "goto-registry"),
        ("base", "Service", "goto-registry"),
        ("base", "Service", "goto-worker"),
        ("base", "StatefulSet", "goto-worker"),
        ("sidecar", "ConfigMap", "application-goto"),
        ("sidecar", "Deployment", "application"),
        ("sidecar", "Service", "application"),
    ]
    assert len(GOTOS) == len(WORKLOADS) == 3


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("name", "manifest"), ALL, ids=named)
def test_it_fits_the_schema_of_kubernetes(name: str, manifest: Manifest, version: str):
    kubernetes_validate.validate(manifest, version, strict=True)


def test_the_schema_is_strict():
    """A key that is misspelt would otherwise do nothing, unnoticed."""
    wrong = copy.deepcopy(WORKLOADS[0])
    wrong["spec"]["template"]["spec"]["terminationGracePeriod"] = 20
    with pytest.raises(kubernetes_validate.ValidationError, match="terminationGracePeriod"):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_network_policy_that_is_proposed_fits_it_too(version: str):
    (proposed,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "security.md").read_text(), re.S)
    kubernetes_validate.validate(yaml.safe_load(proposed), version, strict=True)


@pytest.mark.parametrize(("workload", "container"), GOTOS, ids=named)
def test_tokens_come_from_a_secret_that_need_not_be_there(workload: Manifest, container: Manifest):
    secrets = {
        env["name"]: env["valueFrom"]["secretKeyRef"] for env in container["env"] if "secretKeyRef" in env.get("valueFrom", {})
    }
    assert secrets == {
        "GOTO_ADMIN_TOKEN": {"name": "goto-tokens", "key": "admin", "optional": True},
        "GOTO_REGISTRY_TOKEN": {"name": "goto-tokens", "key": "registry", "optional": True},
    }
    told = (FOLDER / "README.md").read_text()
    assert "create secret generic goto-tokens --from-literal=admin=" in told
    assert "--from-literal=registry=" in told


@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_a_kustomization_lists_the_files_that_are_there(name: str):
    said = kustomization(name)
    listed = [*said["resources"], *(file for generator in said["configMapGenerator"] for file in generator["files"])]
    there = [file.name for file in (FOLDER / name).iterdir() if file.name != "kustomization.yaml"]
    assert sorted(listed) == sorted(there)


def test_all_folders_are_known_here():
    assert sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir()) == sorted([*KUSTOMIZATIONS, "components"])
    assert sorted(folder.name for folder in (FOLDER / "components").iterdir()) == COMPONENTS


@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_kustomize_makes_of_it_what_is_tested_here(name: str):
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    made = subprocess.run([kubectl, "kustomize", FOLDER / name], capture_output=True, text=True, timeout=PATIENCE)
    assert made.returncode == 0, made.stderr

    rendered = [manifest for manifest in yaml.safe_load_all(made.stdout) if manifest]
    assert sorted(rendered, key=named) == sorted(manifests(name), key=named)


def proposals() -> list[str]:
    """The manifests of the README."""
    return re.findall(r"```yaml\n(.*?)```", (FOLDER / "README.md").read_text(), re.S)


def test_the_kustomization_that_the_readme_proposes_works(tmp_path: Path):
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    (proposed,) = [text for text in proposals() if "resources: [../base]" in text]
    own = tmp_path / "own"
    shutil.copytree(FOLDER / "base", tmp_path / "base")
    own.mkdir()
    (own / "kustomization.yaml").write_text(proposed)
    (own / "goto.yaml").write_text("label: other\n")
    made = subprocess.run([kubectl, "kustomize", own], capture_output=True, text=True, timeout=PATIENCE)
    assert made.returncode == 0, made.stderr
    rendered = {named(manifest): manifest for manifest in yaml.safe_load_all(made.stdout)}
    workers = rendered["StatefulSet/goto-worker"]
    assert workers["spec"]["replicas"] == 10
    assert workers["spec"]["template"]["spec"]["containers"][0]["image"] == f"YOUR-REGISTRY/goto:{__version__}"
    assert rendered["ConfigMap/goto-worker"]["data"] == {"goto.yaml": "label: other\n"}
    assert {manifest["metadata"]["namespace"] for manifest in rendered.values()} == {"lab"}


# ---------------------------------------------------------------- components
def component(name: str) -> Manifest:
    said = kustomization(f"components/{name}")
    assert (said["apiVersion"], said["kind"]) == ("kustomize.config.k8s.io/v1alpha1", "Component")
    return said


def added(name: str) -> tuple[Path, str]:
    """What a component adds to the sidecar: a file of its configuration, and the argument of goto that names it."""
    said = component(name)
    (generator,) = said["configMapGenerator"]
    (patch,) = said["patches"]
    (file,) = generator["files"]
    tested, put = yaml.safe_load(patch["patch"])
    assert (generator["name"], generator["behavior"]) == ("application-goto", "merge")
    assert generator["options"] == {"disableNameSuffixHash": True}
    assert patch["target"] == {"kind": "Deployment", "name": "application"}
    assert tested == {"op": "test", "path": "/spec/template/spec/containers/0/name", "value": "goto"}
    assert (put["op"], put["path"]) == ("add", "/spec/template/spec/containers/0/args/-")
    return FOLDER / "components" / name / file, put["value"]


@pytest.mark.parametrize("name", CONFIGURING)
def test_a_component_adds_a_file_where_the_sidecar_looks_for_it(name: str):
    workload = one("Deployment", "application")
    assert workload["spec"]["template"]["spec"]["containers"][0] is goto_of(workload)
    file, argument = added(name)
    (mount,) = goto_of(workload)["volumeMounts"]
    assert argument == f"--config={mount['mountPath']}/{file.name}"
    assert sorted(path.name for path in file.parent.iterdir()) == sorted([file.name, "kustomization.yaml"])


def test_goto_takes_the_files_of_all_components_together(capsys: pytest.CaptureFixture[str]):
    files = [FOLDER / "sidecar" / "goto.yaml", *(added(name)[0] for name in CONFIGURING)]
    assert run(["check", *map(str, files)]) == 0, capsys.readouterr()


def test_the_components_of_the_readme_work_together(tmp_path: Path):
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    (proposed,) = [text for text in proposals() if "components:" in text]
    shutil.copytree(FOLDER, tmp_path / "kubernetes")
    own = tmp_path / "kubernetes" / "own"
    own.mkdir()
    (own / "kustomization.yaml").write_text(proposed)
    made = subprocess.run([kubectl, "kustomize", own], capture_output=True, text=True, timeout=PATIENCE)
    assert made.returncode == 0, made.stderr
    rendered = {named(manifest): manifest for manifest in yaml.safe_load_all(made.stdout)}
    assert sorted(rendered) == [
        "ConfigMap/application-goto",
        "Deployment/application",
        "Service/application",
        "ServiceMonitor/goto",
    ]
    workload = rendered["Deployment/application"]
    goto, application = workload["spec"]["template"]["spec"]["containers"]
    before = goto_of(one("Deployment", "application"))["args"]
    assert sorted(goto["args"]) == sorted([*before, *(added(name)[1] for name in CONFIGURING)])
    assert [arg for arg in application["args"] if "config" in arg] == []
    assert set(rendered["ConfigMap/application-goto"]["data"]) == {"goto.yaml", "journal.yaml", "rules.yaml"}
    for manifest in rendered.values():
        if manifest["kind"] != "ServiceMonitor":
            kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)


# ---------------------------------------------------------------- metrics
AUTHORIZATION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string"},
        "credentials": {
            "type": "object",
            "additionalProperties": False,
            "required": ["key"],
            "properties": {"name": {"type": "string"}, "key": {"type": "string"}, "optional": {"type": "boolean"}},
        },
    },
}
ENDPOINT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "port": {"type": "string"},
        "path": {"type": "string"},
        "scheme": {"enum": ["http", "https"]},
        "interval": {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"},
        "scrapeTimeout": {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"},
        "honorLabels": {"type": "boolean"},
        "authorization": AUTHORIZATION,
    },
}
SELECTOR = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "matchLabels": {"type": "object", "additionalProperties": {"type": "string"}},
        "matchExpressions": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["key", "operator"],
                "properties": {
                    "key": {"type": "string"},
                    "operator": {"enum": ["In", "NotIn", "Exists", "DoesNotExist"]},
                    "values": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
    },
}


def monitor_schema(kind: str, endpoints: str) -> Manifest:
    """Of the two monitors of the Prometheus Operator, as far as goto uses them: the schemas of Kubernetes do not know them."""
    spec = {"selector": SELECTOR, "jobLabel": {"type": "string"}, endpoints: {"type": "array", "items": ENDPOINT, "minItems": 1}}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": "monitoring.coreos.com/v1"},
            "kind": {"const": kind},
            "metadata": {"type": "object", "required": ["name"]},
            "spec": {
                "type": "object",
                "additionalProperties": False,
                "required": ["selector", endpoints],
                "properties": spec,
            },
        },
    }


def test_the_service_monitor_finds_the_services_and_their_port():
    (file,) = component("monitor")["resources"]
    (manifest,) = read(FOLDER / "components" / "monitor" / file)
    jsonschema.validate(manifest, monitor_schema("ServiceMonitor", "endpoints"))
    (expression,) = manifest["spec"]["selector"]["matchExpressions"]
    (endpoint,) = manifest["spec"]["endpoints"]
    assert sorted(expression["values"]) == sorted(service["metadata"]["labels"][expression["key"]] for _, service in SERVICES)
    assert endpoint["path"] == METRICS
    assert {port["name"] for _, service in SERVICES for port in service["spec"]["ports"]} == {endpoint["port"]}
    assert all(manifest["spec"]["jobLabel"] in service["metadata"]["labels"] for _, service in SERVICES)


def test_a_monitor_that_is_misspelt_is_refused():
    (manifest,) = read(FOLDER / "components" / "monitor" / "servicemonitor.yaml")
    manifest["spec"]["endpoints"][0]["timeout"] = "1s"
    with pytest.raises(jsonschema.ValidationError, match="timeout"):
        jsonschema.validate(manifest, monitor_schema("ServiceMonitor", "endpoints"))


@pytest.mark.parametrize("workload", WORKLOADS, ids=named)
def test_pods_say_where_their_metrics_are(workload: Manifest):
    said = workload["spec"]["template"]["metadata"]["annotations"]
    ports = {str(port["containerPort"]) for one in workload["spec"]["template"]["spec"]["containers"] for port in one["ports"]}
    assert (said["prometheus.io/scrape"], said["prometheus.io/path"]) == ("true", METRICS)
    assert said["prometheus.io/port"] in ports


def test_the_pod_monitor_of_the_readme_finds_the_pods_of_base():
    (text,) = [text for text in proposals() if "kind: PodMonitor" in text]
    jsonschema.validate(yaml.safe_load(text), monitor_schema("PodMonitor", "podMetricsEndpoints"))
    spec = yaml.safe_load(text)["spec"]
    (expression,) = spec["selector"]["matchExpressions"]
    (endpoint,) = spec["podMetricsEndpoints"]
    workloads = [manifest for manifest in manifests("base") if manifest["kind"] in ("Deployment", "StatefulSet")]
    assert {*expression["values"]} == {pod_labels(workload)[expression["key"]] for workload in workloads}
    assert endpoint["path"] == METRICS
    for workload in workloads:
        (container,) = workload["spec"]["template"]["spec"]["containers"]
        assert endpoint["port"] in {port["name"] for port in container["ports"]}


# ---------------------------------------------------------------- as they see each other
@pytest.mark.parametrize("workload", WORKLOADS, ids=named)
def test_a_workload_selects_its_own_pods(workload: Manifest):
    assert workload["spec"]["selector"]["matchLabels"].items() <= pod_labels(workload).items()


@pytest.mark.parametrize(("name", "service"), SERVICES, ids=named)
def test_a_service_leads_to_the_port_of_a_goto(name: str, service: Manifest):
    selector = service["spec"]["selector"].items()
    (workload,) = [
        manifest
        for folder, manifest in ALL
        if manifest in WORKLOADS and folder == name and selector <= pod_labels(manifest).items()
    ]
    (port,) = service["spec"]["ports"]
    assert port["targetPort"] in ports(goto_of(workload))
    assert goto_of(workload)["args"].count(f"--port={ports(goto_of(workload))[port['targetPort']]}") == 1


def test_the_workers_have_the_headless_service_they_name():
    workers = one("StatefulSet", "goto-worker")
    service = one("Service", workers["spec"]["serviceName"])
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["selector"].items() <= pod_labels(workers).items()


def test_workers_register_with_the_service_of_the_registry():
    (url,) = [
        arg.partition("=")[2] for arg in goto_of(one("StatefulSet", "goto-worker"))["args"] if arg.startswith("--registry=")
    ]
    service = one("Service", "goto-registry")
    assert url == f"http://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"


def test_there_is_one_registry_at_a_time():
    spec = one("Deployment", "goto-registry")["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")


@pytest.mark.parametrize(("workload", "container"), GOTOS, ids=named)
def test_a_pod_says_who_it_is(workload: Manifest, container: Manifest):
    sources = {env["name"]: env["valueFrom"] for env in container["env"]}
    fields = {name: source["fieldRef"]["fieldPath"] for name, source in sources.items() if "fieldRef" in source}
    assert fields == {
        "APP": "metadata.labels['app']",
        "POD_NAME": "metadata.name",
        "NAMESPACE": "metadata.namespace",
        "POD_IP": "status.podIP",
    }
    assert "app" in pod_labels(workload)
    assert "--label=$(APP)" in container["args"]


@pytest.mark.parametrize(("workload", "container"), GOTOS, ids=named)
def test_goto_is_asked_how_it_is(workload: Manifest, container: Manifest):
    paths = {kind: container[kind]["httpGet"]["path"] for kind in ("readinessProbe", "livenessProbe")}
    assert paths == {"readinessProbe": "/goto/ready", "livenessProbe": "/goto/health"}


@pytest.mark.parametrize(("workload", "container"), CONTAINERS, ids=named)
def test_probes_go_to_ports_that_are_there(workload: Manifest, container: Manifest):
    probes = [container[kind] for kind in ("readinessProbe", "livenessProbe") if kind in container]
    asked = {probe[how]["port"] for probe in probes for how in ("httpGet", "tcpSocket") if how in probe}
    assert asked
    assert asked <= set(ports(container))


@pytest.mark.parametrize(("workload", "container"), CONTAINERS, ids=named)
def test_there_is_time_to_end(workload: Manifest, container: Manifest):
    """What goto does from SIGTERM on takes as long as its constants and `--grace` say, and SIGTERM comes after preStop."""
    command, seconds = container["lifecycle"]["preStop"]["exec"]["command"]
    assert command == "sleep"
    assert float(seconds) >= 5
    needed = float(seconds) + _parser().parse_args(["serve", *container["args"]]).grace.seconds
    if any(arg.startswith("--registry=") for arg in container["args"]):
        needed += DEREGISTER_SECONDS
    assert needed < workload["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]


@pytest.mark.parametrize(("workload", "container"), CONTAINERS, ids=named)
def test_it_may_do_little(workload: Manifest, container: Manifest):
    pod = workload["spec"]["template"]["spec"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize(("workload", "container"), CONTAINERS, ids=named)
def test_its_image_is_this_version_from_wherever_the_user_has_it(workload: Manifest, container: Manifest):
    assert container["image"] == f"goto:{__version__}"


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.*")), ids=lambda file: str(file.relative_to(FOLDER)))
def test_no_registry_of_images_is_named(file: Path):
    # HOST.DOMAIN/… or HOST:PORT/…, the only forms in which an image names a host
    assert re.findall(r"(?:image|newName): *(?:\S+\.\S+|\S+:\d+)/\S*", file.read_text()) == []


# ---------------------------------------------------------------- the configuration in them
@pytest.mark.parametrize(("workload", "container"), [owned for owned in GOTOS if "volumeMounts" in owned[1]], ids=named)
def test_the_configuration_is_mounted_where_goto_looks_for_it(workload: Manifest, container: Manifest):
    (mount,) = container["volumeMounts"]
    (volume,) = workload["spec"]["template"]["spec"]["volumes"]
    assert mount["name"] == volume["name"]
    assert "subPath" not in mount, "a file mounted by itself is never updated: --watch would see nothing"
    data = one("ConfigMap", volume["configMap"]["name"])["data"]
    files = [Path(arg.partition("=")[2]) for arg in container["args"] if arg.startswith("--config=")]
    assert files == [Path(mount["mountPath"]) / file for file in data]
    assert "--watch" in container["args"]


@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_a_changed_configuration_keeps_its_name(name: str):
    """A name with a hash of the content would restart the pods, and --watch would never see a change."""
    for generator in kustomization(name)["configMapGenerator"]:
        assert generator["options"]["disableNameSuffixHash"] is True


@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_goto_takes_the_configuration(name: str, capsys: pytest.CaptureFixture[str]):
    files = [FOLDER / name / file for generator in kustomization(name)["configMapGenerator"] for file in generator["files"]]
    assert files
    for file in files:
        assert run(["check", str(file)]) == 0, capsys.readouterr()


# ---------------------------------------------------------------- what they start
Start = Callable[..., Goto]


def arguments(workload: Manifest, container: Manifest, replace: dict[str, str]) -> list[str]:
    """A container's arguments, with what Kubernetes puts in and what is elsewhere on this machine."""
    replace = {"$(APP)": pod_labels(workload)["app"], **replace}
    args = []
    for arg in container["args"]:
        for old, new in replace.items():
            arg = arg.replace(old, new)
        args.append(arg)
    assert not [arg for arg in args if "$(" in arg], args
    return args


def pod(name: str) -> dict[str, str]:
    return {"POD_NAME": name, "NAMESPACE": "testing", "POD_IP": "127.0.0.1"}


@pytest.fixture
def start() -> Iterator[Start]:
    """`start(workload, container, port, replace)` runs a container as a process of this machine, on that port."""
    processes: list[Goto] = []

    def run(workload: Manifest, container: Manifest, port: int, replace: dict[str, str] | None = None) -> Goto:
        (own,) = ports(container).values()
        args = arguments(workload, container, {f"--port={own}": f"--port={port}", **(replace or {})})
        # the last of several --port and --label counts: those of the manifest
        process = Goto("of-no-manifest", *args, port=port, env=pod(f"{workload['metadata']['name']}-0"))
        processes.append(process)
        return process

    yield run
    for process in reversed(processes):
        process.stop()


def test_a_worker_registers_and_takes_what_it_is_handed(start: Start):
    registry_port, worker_port = free_port(), free_port()
    deployment, workers = one("Deployment", "goto-registry"), one("StatefulSet", "goto-worker")
    registry = start(deployment, goto_of(deployment), registry_port)
    elsewhere = {"goto-registry:8080": f"127.0.0.1:{registry_port}", "/etc/goto": str(FOLDER / "base")}
    worker = start(workers, goto_of(workers), worker_port, elsewhere)

    peers = eventually(lambda: registry.api("GET", "/registry/peers").json())
    assert [(peer["name"], peer["address"]) for peer in peers] == [("goto-worker", f"127.0.0.1:{worker_port}")]
    answer = worker.call("GET", "/anything")
    assert answer.values("Via-Goto") == ["goto-worker"]
    assert answer.values("Goto-Host") == ["goto-worker-0.testing@127.0.0.1"]

    target = {"name": "t1", "method": "GET", "url": f"http://127.0.0.1:{registry_port}/hello"}
    registry.api("POST", "/registry/peers/goto-worker/targets/add", target)
    eventually(lambda: "t1" in worker.api("GET", "/client/targets").json())
    assert worker.api("GET", "/client/track/headers").text.strip().split(",") == ["via-goto", "goto-host"]

    worker.stop()
    assert registry.api("GET", "/registry/peers").json() == []


def test_a_sidecar_with_components_strikes_and_keeps(start: Start, tmp_path: Path):
    workload = one("Deployment", "application")
    (tmp_path / "goto.yaml").write_text("label: alone\n")
    container = copy.deepcopy(goto_of(workload))
    for name in CONFIGURING:
        file, argument = added(name)
        shutil.copy(file, tmp_path)
        container["args"].append(argument)
    sidecar = start(workload, container, free_port(), {"/etc/goto": str(tmp_path)})
    rules = sidecar.api("GET", "/response/rules").json()
    written = yaml.safe_load(added("rules")[0].read_text())["response"]["rules"]
    assert list(rules) == [rule["name"] for rule in written]
    sidecar.call("GET", "/hello")
    (entry,) = sidecar.api("GET", "/goto/journal?uri=/hello").json()["entries"]
    assert entry["method"] == "GET"


def test_a_sidecar_passes_everything_to_the_application(start: Start, tmp_path: Path):
    workload = one("Deployment", "application")
    (behind,) = [container for owner, container in CONTAINERS if owner is workload and container["name"] == "application"]
    port, application_port = free_port(), free_port()
    config = (FOLDER / "sidecar" / "goto.yaml").read_text()
    (own,) = ports(behind).values()
    assert config.count(f"http://127.0.0.1:{own}") == 1
    (tmp_path / "goto.yaml").write_text(config.replace(f"127.0.0.1:{own}", f"127.0.0.1:{application_port}"))

    start(workload, behind, application_port)
    sidecar = start(workload, goto_of(workload), port, {"/etc/goto": str(tmp_path)})
    answer = sidecar.call("GET", "/status/418")
    assert (answer.status, sorted(answer.values("Via-Goto"))) == (418, ["application", "behind"])
    assert sidecar.api("GET", "/request/timeout/status").json()["all"]["RequestCompleted"] == 1
    sidecar.api("PUT", "/response/status/set/503:1")
    assert [sidecar.call("GET", "/x").status for _ in range(2)] == [503, 200]
    for path in (goto_of(workload)[probe]["httpGet"]["path"] for probe in ("readinessProbe", "livenessProbe")):
        assert sidecar.api("GET", path).status == 200
