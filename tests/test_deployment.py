"""Software that Snakemake brings, what it needs itself, and what the workflow catalog reads."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from maskaae.data.registry import SOURCES
from maskaae.models import catalogue
from maskaae.provenance import import_closure
from test_repository import locked_version
from test_workflow import snakemake

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


@pytest.mark.skipif(shutil.which("conda") is None, reason="an archive holds conda's packages: needs conda")
def test_archive_holds_the_script_of_every_rule(tmp_path):
    checkout = tmp_path / "checkout"
    for name in ("config", "scripts", "src", "workflow"):
        shutil.copytree(REPOSITORY / name, checkout / name)
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for words in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "--message", "all"]):
        subprocess.run(["git", *words], cwd=checkout, check=True)
    snakemake(checkout, "--archive", "archive.tar.gz", "--cores", "1", repository=checkout)
    with tarfile.open(checkout / "archive.tar.gz") as archive:
        assert {"scripts/fig4.py", "scripts/table1.py", "scripts/train.py"} <= set(archive.getnames())
