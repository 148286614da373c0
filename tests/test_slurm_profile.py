"""The SLURM profile fits the workflow, and its stand-ins answer what Snakemake's plugin understands.

What needs a SLURM is in tests/slurm.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROFILE = ROOT / "workflow/profiles/slurm"
EXAMPLE = PROFILE / "site-example"
STATUS_QUESTION = ["-X", "--parsable2", "--noheader", "--format=JobIdRaw,State", "--name", "run-1"]


def rules() -> set[str]:
    text = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").iterdir())
    return set(re.findall(r"^\s*(?:rule|use rule \w+ as) (\w+)", text, re.MULTILINE))


def test_example_names_rules_that_exist():
    asked = yaml.safe_load((EXAMPLE / "profile.yaml").read_text())["set-resources"]
    assert set(asked) <= rules()


def test_example_sends_what_uses_a_gpu_to_its_partition_with_the_memory_of_the_rule():
    text = (ROOT / "workflow/rules/train.smk").read_text()
    with_gpu = {rule.split(":")[0] for rule in text.split("\nrule ")[1:] if "gpu=1" in rule}
    asked = yaml.safe_load((EXAMPLE / "profile.yaml").read_text())["set-resources"]
    assert {rule for rule, given in asked.items() if given["slurm_partition"] == "gpu"} == with_gpu
    assert not any("mem_mb" in given for given in asked.values())


def test_downloads_run_beside_snakemake_as_nodes_see_no_network():
    text = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    fetching = [rule for rule in re.split(r"\n\s*rule\b", text) if "scripts/download" in rule]
    assert len(fetching) == 2
    assert all("localrule: True" in rule for rule in fetching)


def test_profile_leaves_the_counting_of_gpus_to_slurm():
    assert "resources" not in yaml.safe_load((PROFILE / "profile.yaml").read_text())


@pytest.mark.slurm  # needs the plugin, which `make test-slurm` installs
def test_snakemake_takes_the_profile_together_with_a_site(tmp_path):
    experiment = ["--configfile", str(ROOT / "config/smoke.yaml")]
    workflow = ["--snakefile", str(ROOT / "workflow/Snakefile"), "--directory", str(tmp_path)]
    profiles = ["--profile", str(PROFILE), "--profile", str(EXAMPLE)]
    call = [sys.executable, "-m", "snakemake", "results/metrics.csv", *experiment, *workflow, *profiles]
    plan = subprocess.run([*call, "--dry-run", "--quiet"], capture_output=True, text=True, check=False)
    assert plan.returncode == 0, plan.stderr


@pytest.fixture
def answer(tmp_path):
    """Run a stand-in where SLURM's programs are replaced by one-line scripts."""
    for tool in ("bash", "cat", "grep", "mktemp", "rm", "sed", "env"):
        (tmp_path / tool).symlink_to(shutil.which(tool))

    def run(stand_in: str, *arguments: str, **programs: str) -> subprocess.CompletedProcess[str]:
        for name, line in {"sleep": "true", **programs}.items():
            program = tmp_path / name
            program.write_text(f"#!/usr/bin/env bash\n{line}\n")
            program.chmod(0o755)
        path = {"PATH": f"{PROFILE / 'bin'}:{tmp_path}", "HERE": str(tmp_path)}
        return subprocess.run(
            [PROFILE / "bin" / stand_in, *arguments], env=path, capture_output=True, text=True, check=False
        )

    return run


def test_cancelled_job_is_called_so_whoever_cancelled_it(answer):
    real = "printf '7|CANCELLED by 1000\\n8|COMPLETED\\n'"
    said = answer("sacct", *STATUS_QUESTION, sacct=real, squeue="exit 1")
    assert (said.returncode, said.stdout) == (0, "7|CANCELLED\n8|COMPLETED\n")


def test_without_accounting_squeue_answers_for_sacct(answer):
    squeue = '[ "${@: -1}" = run-1 ] && echo "7|RUNNING"'
    said = answer("sacct", *STATUS_QUESTION, sacct="echo disabled >&2; exit 1", squeue=squeue)
    assert (said.returncode, said.stdout) == (0, "7|RUNNING\n")


def test_without_controller_the_question_fails_so_that_it_is_asked_again(answer):
    said = answer("sacct", *STATUS_QUESTION, sacct="exit 1", squeue="echo 'connect failure' >&2; exit 1")
    assert (said.returncode, said.stdout) == (1, "")


def test_submission_waits_for_the_controller(answer):
    once_away = (
        'if [ ! -e "$HERE/asked" ]; then echo > "$HERE/asked"; '
        "echo 'sbatch: error: Unable to contact slurm controller (connect failure)' >&2; exit 1; fi; "
        'echo "12 $*"'
    )
    said = answer("sbatch", "--parsable", "--wrap=a 'b c'", sbatch=once_away)
    assert (said.returncode, said.stdout) == (0, "12 --parsable --wrap=a 'b c'\n")


def test_other_failures_of_a_submission_are_passed_on(answer):
    said = answer("sbatch", sbatch="echo 'sbatch: error: invalid partition specified: cpu' >&2; exit 3")
    assert said.returncode == 3
    assert "invalid partition" in said.stderr
