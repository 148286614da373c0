"""Generated, real and reconstructed examples of a run, last checkpoint."""

import logging
from pathlib import Path

import torch

from maskaae.data.dataset import load_dataset
from maskaae.evaluation.samples import sample_table
from maskaae.models import load_model

logging.basicConfig(filename=snakemake.log[0], level=logging.INFO, format="%(asctime)s %(message)s")
torch.set_num_threads(snakemake.threads)
table = sample_table(
    load_model(Path(snakemake.input.model)),
    load_dataset(Path(snakemake.input.info).parent).test,
    generated=64,
    reconstructed=16,
    seed=snakemake.params.seed,
)
table.to_csv(snakemake.output.samples, index=False)
