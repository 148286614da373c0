"""Another workflow imports this one: `module maskaae: snakefile: ...`.

That a whole run comes to the bytes of a direct one is in tests/test_ways_of_running.py.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parent.parent
SMOKE = yaml.safe_load((REPOSITORY / "config/smoke.yaml").read_text())
LOCAL = repr(str(REPOSITORY / "workflow/Snakefile"))

MODULE = """
configfile: "outer.yaml"

module maskaae:
    snakefile: {snakefile}
    {directives}

use rule * from maskaae as maskaae_*

rule final:
    input: rules.maskaae_all.input
    default_target: True
"""


def import_into(folder, snakefile=LOCAL, **directives):
    """Write a workflow, with a configuration of its own, that imports this one."""
    lines = "\n    ".join(f"{name}: {value}" for name, value in directives.items())
    (folder / "Snakefile").write_text(MODULE.format(snakefile=snakefile, directives=lines))
    outer = {"samples": ["a"], "seeds": 7, "maskaae": SMOKE}
    (folder / "outer.yaml").write_text(yaml.safe_dump(outer, sort_keys=False))


def run(folder, *arguments, snakefile="Snakefile", **environment):
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile), *arguments]
    env = {**os.environ, **environment}
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=env)
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout


def planned(text):
    """Jobs of a dry run: rule name to count."""
    rows = [line.split() for line in text.split("Job stats:")[1].splitlines()[3:]]
    return {row[0]: int(row[1]) for row in rows[: rows.index([])]}


def outputs(text):
    """Files that a dry run would make."""
    lines = [line.split("output: ")[1] for line in text.splitlines() if line.startswith("    output: ")]
    return {path for line in lines for path in line.split(", ")}


def test_module_has_its_own_configuration_and_puts_its_files_below_the_prefix(tmp_path):
    """What the importer's command line says is about the importer."""
    import_into(tmp_path, config='config["maskaae"]', prefix='"below/maskaae"')
    text = run(tmp_path, "--dry-run", "--configfile", "outer.yaml", "--config", "samples=[b]")
    assert planned(text)["maskaae_train"] == 6
    assert all(path.startswith("below/maskaae/results/") for path in outputs(text))


def test_module_without_a_configuration_is_the_paper_and_shares_downloads(tmp_path):
    import_into(tmp_path, prefix='"below"')
    text = run(tmp_path, "--dry-run")
    assert planned(text)["maskaae_train"] == 104
    unmoved = {path for path in outputs(text) if not path.startswith("below/")}
    assert "results/data/raw/mnist.json" in unmoved
    assert {Path(path).parent for path in unmoved} == {Path("results/data/raw")}


@pytest.mark.long
def test_module_is_planned_in_the_time_of_the_workflow_by_itself(tmp_path):
    """Of the processor, as others may use it meanwhile; the seconds are in benchmarks/planning.py."""
    import_into(tmp_path, prefix='"below"')

    def seconds(snakefile):
        before = os.times().children_user
        run(tmp_path, "--dry-run", "--quiet", snakefile=snakefile)
        return os.times().children_user - before

    alone, module = (
        min(seconds(snakefile) for _ in range(2))
        for snakefile in (REPOSITORY / "workflow/Snakefile", "Snakefile")
    )
    assert module < 1.5 * alone


def test_broken_configuration_of_a_module_is_refused_by_its_name(tmp_path):
    import_into(tmp_path, config='{**config["maskaae"], "trainning": {}}')
    command = [sys.executable, "-m", "snakemake", "--dry-run"]
    said = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path).stdout
    assert "config of module maskaae" in said
    assert "key 'trainning' is unknown; did you mean 'training'?" in said
    assert "Traceback" not in said


@pytest.fixture
def hosted(tmp_path):
    """Environment in which Snakemake has a repository `owner/maskaae` of the hosting service already."""
    checkout, clone = tmp_path / "checkout", "snakemake/snakemake/source-cache/snakemake-git-cache"
    for name in ("config", "scripts", "workflow"):
        shutil.copytree(REPOSITORY / name, checkout / name)
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for words in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "--message", "all"]):
        subprocess.run(["git", *words], cwd=checkout, check=True)
    subprocess.run(["git", "tag", "v0"], cwd=checkout, check=True)
    target = tmp_path / "cache" / clone / "github.com/owner/maskaae"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(checkout), str(target)], check=True)
    return {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(REPOSITORY / "src")}


def test_module_of_a_hosting_service_trains(hosted, tmp_path):
    """The package is the installed one, the rest comes from the repository."""
    source = 'github("owner/maskaae", path="workflow/Snakefile", tag="v0")'
    import_into(tmp_path, source, config='config["maskaae"]', prefix='"below"')
    run(tmp_path, "below/results/runs/tiny/maae/m3/model.safetensors", "--cores", "1", **hosted)
    assert (tmp_path / "below/results/runs/tiny/maae/m3/run.json").stat().st_size > 0
