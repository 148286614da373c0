"""What a clone promises: pinned packages, one lock for every installer, nothing large or made by a run."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCK = (ROOT / "requirements.lock").read_text()
SLURM_LOCK = (ROOT / "requirements-slurm.lock").read_text()
BENCH_LOCK = (ROOT / "requirements-bench.lock").read_text()
SITE_LOCK = (ROOT / "requirements-site.lock").read_text()
LOCKS = pytest.mark.parametrize(
    "lock", [LOCK, SLURM_LOCK, BENCH_LOCK, SITE_LOCK], ids=["ordinary", "slurm", "bench", "site"]
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SUPPORTED = ["3.11", "3.12", "3.13"]


def locked_requirements(lock: str = LOCK) -> list[tuple[Requirement, int]]:
    """Every requirement of a lock with its number of hashes."""
    entries = re.split(r"\n(?=[A-Za-z0-9])", lock.strip())
    return [(Requirement(re.split(r"\s*\\\n", entry)[0]), entry.count("--hash=sha256:")) for entry in entries]


def locked_version(name: str, python: str) -> str | None:
    """The version that the lock gives a Linux machine with this Python."""
    where = {"python_version": python, "python_full_version": f"{python}.5", "sys_platform": "linux"}
    for requirement, _ in locked_requirements():
        applies = requirement.marker is None or requirement.marker.evaluate(where)
        if applies and canonicalize_name(requirement.name) == canonicalize_name(name):
            return next(iter(requirement.specifier)).version
    return None


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


@LOCKS
def test_lock_pins_one_version_and_a_hash_for_every_package(lock):
    for requirement, hashes in locked_requirements(lock):
        assert [clause.operator for clause in requirement.specifier] == ["=="], requirement
        assert hashes >= 1, f"{requirement} has no hash"


@LOCKS
def test_lock_names_no_address(lock):
    assert "://" not in lock
    assert "--index-url" not in lock and "--find-links" not in lock


def test_slurm_plugin_comes_with_the_same_versions_as_everything_else():
    ordinary = {str(requirement) for requirement, _ in locked_requirements()}
    names = {canonicalize_name(requirement.name) for requirement, _ in locked_requirements()}
    for requirement, _ in locked_requirements(SLURM_LOCK):
        assert canonicalize_name(requirement.name) not in names or str(requirement) in ordinary


@pytest.mark.parametrize("python", SUPPORTED)
def test_lock_satisfies_every_range_of_the_package(python):
    extras = [
        text for name, texts in PROJECT["optional-dependencies"].items() if name != "slurm" for text in texts
    ]
    for text in PROJECT["dependencies"] + extras:
        wanted = Requirement(text)
        version = locked_version(wanted.name, python)
        assert version is not None, f"{wanted.name} is not in requirements.lock: run `make lock`"
        assert wanted.specifier.contains(version), (
            f"lock has {wanted.name} {version}, the package wants {text}"
        )


def test_package_supports_the_pythons_of_the_lock():
    supported = SpecifierSet(PROJECT["requires-python"])
    assert all(supported.contains(python) for python in SUPPORTED)
    assert not supported.contains("3.10") and not supported.contains("3.14")


def test_conda_environment_installs_the_same_lock():
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert {"pip": ["-r requirements.lock"]} in dependencies
    python = next(entry for entry in dependencies if str(entry).startswith("python="))
    assert python.removeprefix("python=") in SUPPORTED


def test_citation_and_licence_agree_with_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")


def test_nothing_large_or_made_by_a_run_is_tracked():
    for path in tracked_files():
        name = path.relative_to(ROOT).as_posix()
        assert not name.startswith("results/") or name == "results/README.md", f"{name} is made by a run"
        assert path.suffix not in {".npy", ".npz", ".pt", ".pkl", ".safetensors"}, (
            f"{name} is data or weights"
        )
        assert path.stat().st_size < 300_000, f"{name} has {path.stat().st_size} bytes"


def test_continuous_integration_runs_the_tests():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text()


@pytest.mark.parametrize(("slurm", "expected"), [(0, 0), (1, 1), (124, 1)])
def test_continuous_integration_lets_the_slurm_tests_end(tmp_path, slurm, expected):
    """They need fifteen minutes; what fails or does not end is not passed over."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", tmp_path / ".ci/run")
    for name, line in {"make": "exit 0", "timeout": f'echo "$1" >limit; exit {slurm}'}.items():
        (tmp_path / name).write_text(f"#!/usr/bin/env bash\n{line}\n")
        (tmp_path / name).chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    answer = subprocess.run([tmp_path / ".ci/run"], env=path, capture_output=True, text=True, check=False)
    assert answer.returncode == expected, answer.stderr
    assert 30 * 60 < int((tmp_path / "limit").read_text()) <= 55 * 60


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make on a copy of the Makefile, as on a fresh clone, without the variables of an outer make."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    outer = {
        key: value
        for key, value in os.environ.items()
        if key not in {"MAKEFLAGS", "MAKELEVEL", "GPUS", "CORES"}
    }
    outer.pop("CUDA_VISIBLE_DEVICES", None)
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=outer | environment, capture_output=True, text=True, check=False
    )


def test_make_refuses_an_old_python_by_name(tmp_path):
    old = tmp_path / "python3.10"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.10.13" && exit 0\nexit 1\n')
    old.chmod(0o755)
    answer = make(tmp_path, "setup", f"PYTHON={old}")
    assert answer.returncode != 0
    assert "needs Python 3.11, 3.12 or 3.13" in answer.stderr
    assert "Python 3.10.13" in answer.stderr
    assert not (tmp_path / ".venv").exists()


def test_make_verify_takes_any_path_and_asks_for_what_is_missing(tmp_path):
    program = tmp_path / ".venv/bin/python"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nprintf "<%s>" "$@"\n')
    program.chmod(0o755)
    strange = 'it\'s "my" results'
    for given, expected in (([f"A={strange}", "B=b"], f"<{strange}><b>"), ([], "")):
        answer = make(tmp_path, "verify", "--old-file=setup", *given)
        assert answer.stdout == f"<-m><maskaae.verify>{expected}", answer.stderr


def test_own_data_have_a_folder_of_their_own_and_are_named_from_here(tmp_path):
    programs = tmp_path / ".venv/bin"
    programs.mkdir(parents=True)
    program = programs / "python"  # a link would not find the packages of the environment that it points into
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    program.chmod(0o755)
    summary = tmp_path / "results/own/results/own/summary.md"
    summary.parent.mkdir(parents=True)
    summary.write_text("8 dimensions\n\n## More\n")
    runner = tmp_path / "workflow/quiet/run.py"
    runner.parent.mkdir(parents=True)
    runner.write_text("import sys\nprint(*(f'<{argument}>' for argument in sys.argv[1:]), sep='')\n")
    said = make(tmp_path, "own", "--old-file=setup", "DATA=it's mine.csv").stdout
    assert "<--directory><results/own>" in said
    assert f"<--config><data={tmp_path}/it's mine.csv>" in said
    assert "<--log><results/own/results/logs/snakemake.log><snakemake>" in said
    assert "8 dimensions\n\nMore, with pictures: results/own/results/own/summary.html" in said
    chosen = make(tmp_path, "own", "--old-file=setup", "DATA=x.csv", "DROP=a,b c", "OPTIONS=decimal=,").stdout
    assert f'<data={tmp_path}/x.csv><options={{"drop": "a,b c", "decimal": ","}}>' in chosen
    without = make(tmp_path, "own", "--old-file=setup", "CONFIG=mine.yaml").stdout
    assert "<--configfile><mine.yaml>" in without
    assert "<--config>" not in without


@pytest.mark.parametrize("target", ["count", "own"])
def test_make_asks_which_data_before_it_sets_up_an_environment(target, tmp_path):
    answer = make(tmp_path, target)
    assert answer.returncode == 2
    assert f"make {target}: which data? make {target} DATA=path" in answer.stderr
    assert not (tmp_path / ".venv").exists()


def planned_snakemake(folder: Path, **environment: str) -> str:
    plan = make(folder, "--dry-run", "demo", **environment)
    assert plan.returncode == 0, plan.stderr
    return next(line for line in plan.stdout.splitlines() if "snakemake --cores" in line)


@pytest.mark.parametrize(
    ("visible", "expected"), [("0", "gpu=1"), ("0,3", "gpu=2"), ("GPU-1a,GPU-2b,GPU-3c", "gpu=3")]
)
def test_demo_offers_the_visible_gpus_to_snakemake(tmp_path, visible, expected):
    assert f"--resources {expected}" in planned_snakemake(tmp_path, CUDA_VISIBLE_DEVICES=visible)


@pytest.mark.parametrize("environment", [{"GPUS": "0"}, {"CUDA_VISIBLE_DEVICES": ""}])
def test_demo_without_gpus_leaves_the_resource_out(tmp_path, environment):
    assert "--resources" not in planned_snakemake(tmp_path, **environment)


@pytest.mark.parametrize(
    ("log", "kept"), [("72 of 72 steps (100%) done\n", False), ("Nothing to be done\n", True)]
)
def test_demo_with_nothing_to_do_keeps_the_time_of_the_one_that_did_it(tmp_path, log, kept):
    (tmp_path / "results/logs").mkdir(parents=True)
    (tmp_path / "results/logs/snakemake.log").write_text(log)
    time = tmp_path / "results/demo_time.txt"
    time.write_text("5 min 3 s\n")
    said = make(tmp_path, "demo", "--old-file=setup", "run_quietly=true", "GPUS=0").stdout
    assert (time.read_text() == "5 min 3 s\n") is kept
    assert ("Done: nothing was left to do" if kept else "Done: 0 min 0 s on") in said
