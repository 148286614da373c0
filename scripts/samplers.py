"""Measure samples of a run from its prior, and from a mixture fitted to its codes."""

from pathlib import Path

import torch

from maskaae.data.dataset import load_dataset
from maskaae.evaluation.examples import Sampling
from maskaae.evaluation.features import load_extractor
from maskaae.evaluation.frechet import load_statistics
from maskaae.evaluation.mixture import compare_samplers
from maskaae.logs import log_to
from maskaae.models.build import load_model
from maskaae.training.lease import lease_device

log_to(snakemake.log[0])
torch.set_num_threads(snakemake.threads)
features = snakemake.params.features
with lease_device(devices=None if snakemake.resources.get("gpu") else []) as lease:
    table = compare_samplers(
        load_model(Path(snakemake.input.model), lease.device),
        load_dataset(Path(snakemake.input.info).parent, ["train", "test"]),
        load_extractor(features, snakemake.input.get(features), lease.device),
        load_statistics(Path(snakemake.input.reference)),
        Sampling(snakemake.params.samples, snakemake.resources.batch_size, snakemake.params.seed),
    )
table.insert(0, "dataset", snakemake.wildcards.dataset)
table.insert(1, "model", snakemake.wildcards.model)
table.to_csv(snakemake.output.samplers, index=False)
