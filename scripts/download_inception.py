"""Fetch and check the weights of the Inception net that measures FID."""

from pathlib import Path

from maskaae.evaluation.inception import fetch_inception_weights
from maskaae.logs import log_to

log_to(snakemake.log[0])
fetch_inception_weights(Path(snakemake.params.raw), Path(snakemake.output.weights))
