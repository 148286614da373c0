"""Mean and covariance of a data set's test split in one feature space."""

from pathlib import Path

import torch

from maskaae.data.dataset import load_dataset
from maskaae.evaluation.features import load_extractor, reference_statistics
from maskaae.evaluation.frechet import save_statistics
from maskaae.logs import log_to

log_to(snakemake.log[0])
torch.set_num_threads(snakemake.threads)
features = snakemake.wildcards.features
statistics = reference_statistics(
    load_dataset(Path(snakemake.input.info).parent, ["test"]).test,
    load_extractor(features, snakemake.input.get(features)),
    batch=snakemake.resources.batch_size,
)
save_statistics(statistics, Path(snakemake.output.statistics))
