"""A SLURM for the whole session, and what an undisturbed run makes."""

import tempfile
from pathlib import Path

import pytest
from cluster import FOLDER_PREFIX, Cluster, ClusterUnavailableError
from pipeline import run_locally


@pytest.fixture(scope="session")
def cluster():
    # Not one of pytest's folders: only their owner may enter those, and the daemons refuse that.
    with tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX) as name:
        Path(name).chmod(0o755)
        slurm = Cluster(Path(name))
        try:
            slurm.start()
            yield slurm
        except ClusterUnavailableError as reason:
            pytest.skip(f"SLURM was not tested: {reason}")
        finally:
            slurm.stop()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> Path:
    """Folder of a run without SLURM, which every run on SLURM must equal."""
    folder = tmp_path_factory.mktemp("undisturbed")
    run_locally(folder, "results/runs/tiny/maae/m3/metrics.csv", "results/runs/tiny/wae/m3/model.safetensors")
    return folder
