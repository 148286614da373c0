"""The unit tests that `snakemake --generate-unit-tests` makes of a finished run: a job a rule, by itself."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from test_workflow import finished, moved, planned, snakemake  # noqa: F401 (two are fixtures)

COMMON = Path(__file__).parent / "generated/common.py"


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_rule_makes_the_same_again_of_its_inputs_alone(moved):  # noqa: F811
    generated = moved / ".tests/unit"
    snakemake(moved, "--generate-unit-tests", str(generated), repository=moved)
    tests = sorted(path.stem for path in generated.glob("test_*.py"))
    jobs = planned(snakemake(moved, "--dry-run", "--forceall", repository=moved))
    assert tests == sorted(f"test_{rule}" for rule in set(jobs) - {"all", "total"})
    shutil.copy(COMMON, generated)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(generated)]
    environment = {**os.environ, "PYTHONPATH": str(moved / "src")}
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=moved, env=environment)
    assert result.returncode == 0, result.stdout[-3000:]
