"""Estimate the dimension of a data set without an auto-encoder, from other examples for each seed."""

from pathlib import Path

import torch

from maskaae.data.dataset import load_dataset
from maskaae.evaluation.estimators import estimate

torch.set_num_threads(snakemake.threads)
dataset = load_dataset(Path(snakemake.input.info).parent, ["train"])
table = estimate(dataset.train, snakemake.params.seeds, snakemake.params.examples)
table.insert(0, "dataset", snakemake.wildcards.dataset)
table.to_csv(snakemake.output.estimates, index=False)
