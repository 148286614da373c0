"""Generated, real and reconstructed examples of a run, last checkpoint."""

from pathlib import Path

import torch

from maskaae.data.dataset import load_dataset
from maskaae.evaluation.examples import sample_table
from maskaae.logs import log_to
from maskaae.models.build import load_model

log_to(snakemake.log[0])
torch.set_num_threads(snakemake.threads)
table = sample_table(
    load_model(Path(snakemake.input.model)),
    load_dataset(Path(snakemake.input.info).parent, ["test"]).test,
    generated=64,
    reconstructed=16,
    seed=snakemake.params.seed,
)
table.to_csv(snakemake.output.samples, index=False)
