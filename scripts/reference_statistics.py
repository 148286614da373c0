"""Mean and covariance of a data set's test split in one feature space."""

import logging
from pathlib import Path

import torch

from maskaae.data.dataset import load_dataset
from maskaae.evaluation.features import load_extractor, reference_statistics
from maskaae.evaluation.frechet import save_statistics

logging.basicConfig(filename=snakemake.log[0], level=logging.INFO, format="%(asctime)s %(message)s")
torch.set_num_threads(snakemake.threads)
features = snakemake.wildcards.features
statistics = reference_statistics(
    load_dataset(Path(snakemake.input.info).parent).test,
    load_extractor(features, snakemake.input.get(features)),
    batch=snakemake.params.batch,
)
save_statistics(statistics, Path(snakemake.output.statistics))
