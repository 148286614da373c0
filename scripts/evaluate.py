"""Measure every seed at every checkpoint of a run."""

from pathlib import Path

import torch

from maskaae.data.dataset import load_dataset
from maskaae.evaluation.evaluate import evaluate_run, read_checkpoints
from maskaae.evaluation.examples import Sampling
from maskaae.evaluation.features import load_extractor
from maskaae.evaluation.frechet import load_statistics
from maskaae.logs import log_to
from maskaae.training.lease import lease_device

log_to(snakemake.log[0])
torch.set_num_threads(snakemake.threads)
references = {Path(path).stem: load_statistics(Path(path)) for path in snakemake.input.references}
with lease_device(devices=None if snakemake.resources.get("gpu") else []) as lease:
    metrics = evaluate_run(
        read_checkpoints(Path(snakemake.input.checkpoints), lease.device),
        load_dataset(Path(snakemake.input.info).parent, ["test"]).test,
        references,
        [load_extractor(name, snakemake.input.get(name), lease.device) for name in references],
        Sampling(snakemake.params.samples, snakemake.resources.batch_size, snakemake.params.seed),
        neighbourhoods=snakemake.params.neighbourhoods,
    )
metrics.insert(0, "dataset", snakemake.wildcards.dataset)
metrics.insert(1, "model", snakemake.wildcards.model)
metrics.to_csv(snakemake.output.metrics, index=False)
