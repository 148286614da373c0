"""Software that Snakemake brings, what it needs itself, and what the workflow catalog reads."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from maskaae.data.registry import SOURCES
from maskaae.models import catalogue
from maskaae.provenance import import_closure
from test_repository import locked_version

REPOSITORY = Path(__file__).parent.parent
ENVIRONMENTS = sorted((REPOSITORY / "workflow/envs").glob("*.yaml"))
DISTRIBUTIONS = {"PIL": "pillow", "sklearn": "scikit-learn", "torch_fidelity": "torch-fidelity"}
COME_ALONG = {"joblib": "scikit-learn", "pydantic_core": "pydantic", "triton": "torch"}
"""Modules of packages that another package requires."""

BLOCK = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())
"""


def pins(environment):
    """Packages of an environment file and their versions, and its Python."""
    dependencies = yaml.safe_load(environment.read_text())["dependencies"]
    python = next(one for one in dependencies if str(one).startswith("python="))
    listed = next(one["pip"] for one in dependencies if isinstance(one, dict))
    return dict(one.split("==") for one in listed), python.removeprefix("python=")


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda path: path.stem)
def test_environment_has_the_versions_of_the_lock(environment):
    packages, python = pins(environment)
    assert packages == {name: locked_version(name, python) for name in packages}


BY_NAME = [f"{entry.module}:{entry.class_name}" for entry in catalogue.CATALOGUE.values()]
BY_NAME += [f"{source.module}:prepare" for source in SOURCES.values()]
"""What scripts of the environment `compute` import by name only."""

RULE = re.compile(r'conda:\s+"../envs/(\w+).yaml".*?script:\s+f?"../../(scripts/[^"]+)\.py"', re.DOTALL)


def imported(script, by_name):
    """Packages that a script and what it imports import, at any place."""
    names = set()
    for path in [script, *import_closure(script, tuple(by_name)).values()]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module.partition(".")[0])
    names -= {*sys.stdlib_module_names, "maskaae"}
    return {COME_ALONG.get(name, DISTRIBUTIONS.get(name, name)) for name in names}


def test_every_rule_names_an_environment_with_what_its_script_imports():
    seen = set()
    for path in (REPOSITORY / "workflow/rules").glob("*.smk"):
        for environment, script in RULE.findall(path.read_text()):
            drawn = [one for one in (REPOSITORY / "scripts").glob("*.py") if one.stem[:3] in ("fig", "tab")]
            packages = pins(REPOSITORY / f"workflow/envs/{environment}.yaml")[0]
            for one in drawn if "{" in script else [REPOSITORY / f"{script}.py"]:
                needed = imported(one, BY_NAME if environment == "compute" else [])
                assert needed <= set(packages), (path.name, one.name, needed - set(packages))
                seen.add(one.stem)
    assert {"train", "prepare", "evaluate", "table1", "fig4", "claims"} <= seen


WITHOUT_PLUGIN = pytest.mark.skipif(
    find_spec("snakemake_executor_plugin_slurm") is not None,
    reason="Snakemake imports every plugin at its start, and that for SLURM imports pandas",
)


def plan(tmp_path, *blocked):
    """Plan the paper's grid where some packages cannot be imported."""
    (tmp_path / "sitecustomize.py").write_text(BLOCK.format(names=set(blocked)))
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet"]
    command += ["--snakefile", str(REPOSITORY / "workflow/Snakefile")]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)


@WITHOUT_PLUGIN
def test_snakemake_with_numpy_plans_without_the_rest(tmp_path):
    """Pydantic and YAML come with Snakemake."""
    rest = ["torch", "pandas", "scipy", "sklearn", "matplotlib", "safetensors", "PIL", "torchvision", "h5py"]
    assert plan(tmp_path, *rest).returncode == 0


@WITHOUT_PLUGIN
def test_snakemake_alone_says_what_to_do(tmp_path):
    said = plan(tmp_path, "numpy")
    assert said.returncode != 0
    assert "numpy, which checks the configuration, is not installed: run `make setup" in said.stdout
    assert "Traceback" not in said.stdout + said.stderr


def test_standardised_usage_finds_what_it_asks_for():
    usage = yaml.safe_load((REPOSITORY / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    deployment = usage["software-stack-deployment"]
    rules = "".join(path.read_text() for path in (REPOSITORY / "workflow/rules").glob("*.smk"))
    assert deployment["conda"] is (
        len(re.findall(r"^ +conda:$", rules, re.M)) == len(re.findall(r"^ +script:$", rules, re.M))
    )
    assert deployment["report"] is ("report(" in rules)
    assert (REPOSITORY / "config/README.md").is_file()
    assert (REPOSITORY / ".test/config/config.yaml").read_text() == (
        REPOSITORY / "config/smoke.yaml"
    ).read_text()


def test_configuration_of_the_working_folder_is_taken(tmp_path):
    """As `snakemake --directory .test` and deployed workflows expect."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--directory", str(tmp_path)]
    command += ["--snakefile", str(REPOSITORY / "workflow/Snakefile")]
    (tmp_path / "config").mkdir()
    text = (REPOSITORY / "config/smoke.yaml").read_text()
    (tmp_path / "config/config.yaml").write_text(text.replace("maae: [3], irmae: [3]", "maae: [3]"))
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert re.search(r"^train +5$", result.stdout, re.MULTILINE)


WITHOUT_CONDA = """
from snakemake import cli, dag, jobs

dag.DAG.create_conda_envs = lambda self, **options: None
jobs.Job.archive_conda_env = lambda self: self.conda_env_spec.file.get_path_or_uri(secret_free=True)
cli.main()
"""
"""Snakemake that archives environment files instead of the packages that conda would fetch."""

CONDA = {"conda_prefix": "/conda", "platform": "linux-64", "conda_version": "24.7.1"}
CONDA |= {"get": {"channel_priority": "strict"}}
"""What conda says of itself and of its settings."""


@pytest.fixture
def checkout(tmp_path):
    """A checkout under version control."""
    for name in ("config", "scripts", "src", "workflow"):
        shutil.copytree(REPOSITORY / name, tmp_path / "checkout" / name)
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for words in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "--message", "all"]):
        subprocess.run(["git", *words], cwd=tmp_path / "checkout", check=True)
    return tmp_path / "checkout"


def test_archive_can_be_planned_where_it_is_unpacked(checkout, tmp_path):
    """An archive holds the sources that executors of clouds upload too, and packages where there is conda."""
    main = ["-m", "snakemake"] if shutil.which("conda") else ["-c", WITHOUT_CONDA]
    smoke = ["--configfile", "config/smoke.yaml"]
    command = [sys.executable, *main, "--archive", "archive.tar.gz", "--cores", "1", *smoke]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=checkout)
    assert result.returncode == 0, result.stderr[-3000:]
    with tarfile.open(checkout / "archive.tar.gz") as archive:
        names = set(archive.getnames())
        archive.extractall(tmp_path / "unpacked", filter="data")
    assert {f"scripts/{path.name}" for path in (REPOSITORY / "scripts").glob("*.py")} <= names
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-m", "snakemake", "--dry-run", *smoke]
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path / "unpacked", env=environment
    )
    assert re.search(r"^train +6$", result.stdout, re.MULTILINE), result.stderr[-3000:]


def test_containerize_writes_a_definition_with_both_environments(checkout, tmp_path):
    """Of conda no more is needed than its name for the platform."""
    if shutil.which("conda") is None:
        program = tmp_path / "bin/conda"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\necho '{json.dumps(CONDA)}'\n")
        program.chmod(0o755)
    command = [sys.executable, "-m", "snakemake", "--containerize", "--configfile", "config/smoke.yaml"]
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=checkout, env=environment
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert result.stdout.startswith("FROM ")
    copied = set(re.findall(r"^COPY (\S+) /conda-envs/", result.stdout, re.MULTILINE))
    assert copied == {f"workflow/envs/{path.name}" for path in ENVIRONMENTS}


def test_container_takes_the_lock_by_its_hashes_and_no_link_to_a_checkout():
    text = (REPOSITORY / "Containerfile").read_text()
    for line in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE):
        assert all((REPOSITORY / name).exists() for name in line.split())
    assert "--require-hashes" in text
    assert "-e ." not in text
    assert "--editable" not in text


def build_packages(folder):
    """Build the wheel and the source distribution out of a copy of the sources; return their paths."""
    source = folder / "source"
    shutil.copytree(REPOSITORY / "src", source / "src", ignore=shutil.ignore_patterns("*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    uv = Path(sys.executable).parent / "uv"
    command = [uv, "build", "--quiet", "--no-build-isolation", "--python", sys.executable, source]
    result = subprocess.run(
        [*command, "--out-dir", folder / "dist"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return next((folder / "dist").glob("*.whl")), next((folder / "dist").glob("*.tar.gz"))


def test_wheel_and_source_distribution_hold_the_package(tmp_path):
    """The wheel is built of what the source distribution holds."""
    wheel, source = build_packages(tmp_path)
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    assert wheel.name == f"maskaae-{version}-py3-none-any.whl"
    package = {
        path.relative_to(REPOSITORY / "src").as_posix()
        for path in (REPOSITORY / "src/maskaae").rglob("*")
        if path.suffix in (".py", ".mplstyle", ".typed")
    }
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert {name for name in held if ".dist-info/" not in name} == package
    assert any(name.endswith("/LICENSE") for name in held)
    with tarfile.open(source) as archive:
        assert {f"maskaae-{version}/src/{name}" for name in package} <= set(archive.getnames())
