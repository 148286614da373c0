"""The smoke pipeline comes to the same bytes however it is run; docs/executors.md has the table.

That on SLURM is in tests/slurm.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from maskaae.verify import compare_folders
from test_deployment import build_packages
from test_module import import_into, run

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

REPOSITORY = Path(__file__).parent.parent
LOCK = REPOSITORY / "requirements.lock"
WORKFLOW = ("config", "scripts", "workflow")
"""Folders of a checkout that Snakemake needs beside the package."""
DIRECT = ["--configfile", str(REPOSITORY / "config/smoke.yaml"), "--cores", "2"]


def differences(one, other):
    """Files that are not equal to the byte, but for what they say of times and the machine."""
    compared = compare_folders(one, other)
    assert len(compared) > 100
    return [found for found in compared if found.verdict != "equal" or found.note == "same numbers"]


def check_out(folder, *more):
    """Copy of the checkout, or of a part of it."""
    for name in (*WORKFLOW, *more):
        shutil.copytree(REPOSITORY / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def direct(tmp_path_factory):
    """Folder of a run of this workflow by itself, in place."""
    folder = tmp_path_factory.mktemp("direct")
    run(folder, *DIRECT, snakefile=REPOSITORY / "workflow/Snakefile")
    assert len(list(folder.glob("results/runs/*/*/*/run.json"))) == 6
    return folder


def test_checkout_that_is_moved_in_the_middle_goes_on_and_comes_to_the_same_bytes(direct, tmp_path):
    trained = [f"results/runs/{path}/run.json" for path in ("tiny/maae/m3", "digits/maae/m4", "tiny/wae/m3")]
    before, after = tmp_path / "before", tmp_path / "another place" / "checkout"
    check_out(before, "src")
    smoke = ["--configfile", "config/smoke.yaml", "--cores", "2"]
    run(before, *trained, *smoke, snakefile="workflow/Snakefile", PYTHONPATH="")
    made = {path: (before / path).stat().st_mtime_ns for path in trained}
    after.parent.mkdir()
    before.rename(after)
    run(after, *smoke, snakefile="workflow/Snakefile", PYTHONPATH="")
    assert {path: (after / path).stat().st_mtime_ns for path in trained} == made
    assert differences(direct / "results", after / "results") == []


def test_module_with_a_prefix_comes_to_the_same_bytes(direct, tmp_path):
    import_into(tmp_path, config='config["maskaae"]', prefix='"below"')
    run(tmp_path, "--cores", "2")
    assert differences(direct / "results", tmp_path / "below/results") == []
    run(tmp_path, "--report", "report.html")
    finding = (tmp_path / "below/results/tables/findings/fig4.rst").read_text().splitlines()[0]
    words = finding.split("** ")[1].split(" **")[0]  # between what is bold
    assert len(words) > 40
    assert words in (tmp_path / "report.html").read_text()


def test_run_without_shared_files_comes_to_the_same_bytes(direct, tmp_path):
    """Every file that a job opens comes out of a storage, and every one that it makes goes there."""
    pytest.importorskip("snakemake_storage_plugin_fs", reason="needs snakemake-storage-plugin-fs and rsync")
    store = tmp_path / "store"
    storage = ["--shared-fs-usage", "none", "--default-storage-provider", "fs"]
    storage += ["--default-storage-prefix", str(store), "--local-storage-prefix", ".snakemake/storage"]
    run(tmp_path, *DIRECT, *storage, snakefile=REPOSITORY / "workflow/Snakefile")
    assert not (tmp_path / "results").exists()
    assert differences(direct / "results", store / "results") == []


@pytest.fixture(scope="module")
def fresh_python(tmp_path_factory):
    """Python of a new environment that holds the lock and, as a wheel, the package."""
    folder = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    wheel, _ = build_packages(folder)
    python = folder / "venv/bin/python"
    uv = [str(Path(sys.executable).parent / "uv"), "pip"]
    hashed = ["--require-hashes", "--build-constraints", str(LOCK), str(LOCK)]
    for words in (["sync", *hashed], ["install", "--no-deps", str(wheel)]):
        call = [*uv, words[0], "--quiet", "--python", str(python), *words[1:]]
        result = subprocess.run(call, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr[-3000:]
    return python


def test_wheel_in_a_fresh_environment_comes_to_the_same_bytes_and_redoes_no_finished_run(
    direct, fresh_python, tmp_path
):
    """The workflow without its sources takes the package that is installed."""
    check_out(tmp_path)
    path = f"{fresh_python.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"PATH": path}

    def call(*words, folder=tmp_path):
        command = [str(fresh_python), *words]
        result = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=folder, env=environment
        )
        assert result.returncode == 0, result.stderr[-3000:]
        return result.stdout

    assert call("-c", "import maskaae; print(maskaae.__file__)").startswith(str(fresh_python.parents[1]))
    smoke = ["-m", "snakemake", "--snakefile", str(tmp_path / "workflow/Snakefile")]
    smoke += ["--configfile", str(tmp_path / "config/smoke.yaml")]
    call(*smoke, "--cores", "2")
    assert differences(direct / "results", tmp_path / "results") == []
    assert "Nothing to be done" in call(*smoke, "--dry-run", folder=direct)
