"""Normalised absolute covariance of the encoded test vectors, last checkpoint."""

import logging
from pathlib import Path

import torch

from maskaae.data.dataset import load_dataset
from maskaae.evaluation.encoding import covariance_table
from maskaae.models import load_model

logging.basicConfig(filename=snakemake.log[0], level=logging.INFO, format="%(asctime)s %(message)s")
torch.set_num_threads(snakemake.threads)
table = covariance_table(
    load_model(Path(snakemake.input.model)),
    load_dataset(Path(snakemake.input.info).parent).test,
    batch=snakemake.params.batch,
)
table.to_csv(snakemake.output.covariance, index=False)
