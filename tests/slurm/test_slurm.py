"""Training on a real SLURM comes to the same numbers, whatever happens to its jobs on the way."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cluster import GPUS, Cluster, wait_until
from pipeline import SMOKE, SlurmRun, run_folder, run_locally

from maskaae.verify import compare_folders

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(3600)]

MODEL = "results/runs/tiny/maae/m3/model.safetensors"
HISTORY = "results/runs/tiny/maae/m3/history.csv"
METRICS = "results/runs/tiny/maae/m3/metrics.csv"
OTHER_MODEL = "results/runs/tiny/wae/m3/model.safetensors"


def assert_equal_results(folder: Path, undisturbed: Path, *files: str) -> None:
    for file in files:
        assert (folder / file).read_bytes() == (undisturbed / file).read_bytes(), f"{file} differs"


def test_two_trainings_run_at_once_on_different_gpus(cluster, undisturbed, tmp_path):
    with SlurmRun(cluster, tmp_path, MODEL, OTHER_MODEL) as run:
        wait_until(lambda: len(run.training_jobs()) == GPUS, 600, "two trainings run at once")
        assert {cluster.device_of(job) for job in run.training_jobs()} == {"0", "1"}
        run.finish()
    assert_equal_results(tmp_path, undisturbed, MODEL, OTHER_MODEL)


def cancel(cluster: Cluster, job: str) -> None:
    assert cluster.command("scancel", job).returncode == 0


def end_its_time(cluster: Cluster, job: str) -> None:
    """Hold the job until slurmctld, which looks at time limits twice a minute, sees that its time is over.

    A fast machine would finish the training before. At a limit slurmd sends SIGCONT, then SIGTERM: the held
    training wakes up and saves its state.
    """
    assert cluster.command("scancel", "--signal=STOP", job).returncode == 0
    answer = cluster.command("scontrol", "update", f"JobId={job}", "EndTime=now")
    assert answer.returncode == 0, answer.stderr
    wait_until(lambda: job not in cluster.jobs("RUNNING"), 120, "the training's time is over")


def preempt(cluster: Cluster, job: str) -> None:
    """Let a job of a more important partition take both GPUs for a moment."""
    answer = cluster.command(
        "sbatch", "--partition=urgent", f"--gpus={GPUS}", "--time=1", "--output=/dev/null", "--wrap=sleep 5"
    )
    assert answer.returncode == 0, answer.stderr
    wait_until(lambda: job not in cluster.jobs("RUNNING"), 60, "the training is preempted")


def lose_the_node(cluster: Cluster, job: str) -> None:
    cluster.set_node("DOWN")
    wait_until(lambda: job not in cluster.jobs("RUNNING"), 60, "the training lost its node")
    time.sleep(5)
    cluster.set_node("RESUME")


@pytest.mark.parametrize("disturb", [cancel, end_its_time, preempt, lose_the_node])
def test_training_comes_back_and_resumes(
    cluster: Cluster, undisturbed: Path, tmp_path: Path, disturb: Callable[[Cluster, str], None]
):
    with SlurmRun(cluster, tmp_path, MODEL, data=undisturbed) as run:
        disturb(cluster, run.wait_for_state("maae"))
        run.finish()
        assert run.resumed_from("maae") > 0
    assert_equal_results(tmp_path, undisturbed, MODEL, HISTORY)
    assert not (run_folder(tmp_path, "maae") / "resume").exists()


def test_absence_of_the_controller_is_waited_for(cluster, undisturbed, tmp_path):
    """It is away for a minute, in which a job ends and the next should be submitted."""
    with SlurmRun(cluster, tmp_path, METRICS, data=undisturbed) as run:
        run.wait_for_state("maae")
        cluster.stop_controller()
        try:
            time.sleep(60)
        finally:
            cluster.start_controller()
        run.finish()
    assert_equal_results(tmp_path, undisturbed, MODEL, METRICS)


@pytest.mark.long
def test_every_rule_of_the_smoke_pipeline_comes_to_the_same_bytes(cluster: Cluster, tmp_path: Path):
    """But for what a file says of times and the machine."""
    local, cluster_folder = tmp_path / "local", tmp_path / "cluster"
    local.mkdir()
    cluster_folder.mkdir()
    run_locally(local, experiment=SMOKE)
    with SlurmRun(cluster, cluster_folder, experiment=SMOKE) as run:
        run.finish()
        assert run.log.count("has been submitted with SLURM jobid") > 40
    compared = compare_folders(local / "results", cluster_folder / "results")
    assert len(compared) > 100
    assert [found for found in compared if found.verdict != "equal" or found.note == "same numbers"] == []
