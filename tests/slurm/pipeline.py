"""The workflow as a user starts it, on SLURM and without, in a folder of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from cluster import Cluster, wait_until

ROOT = Path(__file__).resolve().parents[2]
PROFILE = ROOT / "workflow/profiles/slurm"
SNAKEMAKE = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "workflow/Snakefile")]
EXPERIMENT = ROOT / "tests/slurm/experiment.yaml"
SMOKE = ROOT / "config/smoke.yaml"


def run_locally(folder: Path, *targets: str, experiment: Path = EXPERIMENT) -> None:
    """Make files on this machine without SLURM."""
    call = [*SNAKEMAKE, *targets, "--cores", "2", "--directory", str(folder), "--configfile", str(experiment)]
    answer = subprocess.run(call, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


def run_folder(folder: Path, model: str) -> Path:
    """Folder of the one run of a model."""
    return folder / f"results/runs/tiny/{model}/m3"


class SlurmRun:
    """Snakemake with the SLURM profile, running in the background.

    Parameters
    ----------
    cluster : Cluster
        The SLURM that it uses.
    folder : Path
        Where it runs.
    targets : str
        Files to make; without any, all that the configuration asks for.
    data : Path, optional
        Folder of a finished run whose data set is taken over.
    experiment : Path
        Configuration.
    """

    def __init__(
        self,
        cluster: Cluster,
        folder: Path,
        *targets: str,
        data: Path | None = None,
        experiment: Path = EXPERIMENT,
    ) -> None:
        self.folder = folder
        self._cluster = cluster
        self._log = folder / "snakemake.log"
        if data is not None:
            shutil.copytree(data / "results/data", folder / "results/data")
        directory = ["--directory", str(folder)]
        # The usual 20 seconds suit jobs of hours.
        profile = ["--profile", str(PROFILE), "--slurm-init-seconds-before-status-checks", "2"]
        path = f"{PROFILE / 'bin'}:{os.environ['PATH']}"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [*SNAKEMAKE, *targets, *directory, "--configfile", str(experiment), *profile],
                env=os.environ | {"PATH": path},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        for job in self._cluster.jobs():
            self._cluster.command("scancel", job)

    @property
    def log(self) -> str:
        """What Snakemake has said so far."""
        return self._log.read_text()

    def training_jobs(self) -> list[str]:
        """SLURM's numbers of the training jobs that run."""
        lines = self._cluster.command("squeue", "--noheader", "--states=RUNNING", "--format=%A %k").stdout
        return [line.split()[0] for line in lines.splitlines() if "rule_train_wildcards" in line]

    def wait_for_state(self, model: str) -> str:
        """Wait until a training could be resumed, and return SLURM's number of its job."""
        states = run_folder(self.folder, model) / "resume"
        self._wait(lambda: self.training_jobs() and list(states.glob("state_*.pt")), 600, f"{model} trains")
        return self.training_jobs()[0]

    def finish(self, seconds: float = 1500) -> None:
        """Wait for Snakemake's end, which must be a good one."""
        self._wait(lambda: self._process.poll() is not None, seconds, "Snakemake ends")
        assert self._process.returncode == 0, self.log

    def resumed_from(self, model: str) -> int:
        """Step from which the last attempt of a training went on; 0 if it began anew."""
        return json.loads((run_folder(self.folder, model) / "run.json").read_text())["resumed_from_step"]

    def _wait(self, condition, seconds: float, what: str) -> None:
        try:
            wait_until(condition, seconds, what)
        except TimeoutError as error:
            queue = self._cluster.command("squeue", "--states=all").stdout
            raise AssertionError(f"{error}\n{self.log}\n{queue}") from error
