"""Estimate the dimension of a data set without training, from other examples for each seed."""

from pathlib import Path

from maskaae.data.dataset import load_dataset
from maskaae.evaluation.dimension import estimate

dataset = load_dataset(Path(snakemake.input.info).parent, ["train"])
table = estimate(dataset.train, snakemake.params.seeds, snakemake.params.examples)
table.insert(0, "dataset", snakemake.wildcards.dataset)
table.to_csv(snakemake.output.estimates, index=False)
