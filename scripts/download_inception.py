"""Fetch and check the weights of the Inception net that measures FID."""

import logging
from pathlib import Path

from maskaae.evaluation.weights import fetch_inception_weights

logging.basicConfig(filename=snakemake.log[0], level=logging.INFO, format="%(asctime)s %(message)s")
fetch_inception_weights(Path(snakemake.params.raw), Path(snakemake.output.weights))
