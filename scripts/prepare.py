"""Prepare one data set: the script of every `prepare_{source}` rule."""

import logging
from pathlib import Path

from maskaae.data.registry import SOURCES

# The guard matters: the processes that decode images import this file again.
if __name__ == "__main__":
    logging.basicConfig(filename=snakemake.log[0], level=logging.INFO, format="%(message)s")
    SOURCES[snakemake.params.spec["source"]].prepare(
        snakemake.params.spec,
        raw=Path(snakemake.params.raw),
        folder=Path(snakemake.output.info).parent,
        workers=snakemake.threads,
    )
