"""Normalised absolute covariance of the encoded test vectors, last checkpoint."""

from pathlib import Path

import torch

from maskaae.data.dataset import load_dataset
from maskaae.evaluation.encoding import covariance_table
from maskaae.logs import log_to
from maskaae.models.build import load_model

log_to(snakemake.log[0])
torch.set_num_threads(snakemake.threads)
table = covariance_table(
    load_model(Path(snakemake.input.model)),
    load_dataset(Path(snakemake.input.info).parent, ["test"]).test,
    batch=snakemake.resources.batch_size,
)
table.to_csv(snakemake.output.covariance, index=False)
