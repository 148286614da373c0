"""Prepare one data set: the script of every `prepare_{source}` rule."""

from pathlib import Path

from maskaae.data.registry import SOURCES
from maskaae.logs import log_to

# The guard matters: the processes that decode images import this file again.
if __name__ == "__main__":
    log_to(snakemake.log[0])
    SOURCES[snakemake.params.spec["source"]].prepare(
        snakemake.params.spec,
        raw=Path(snakemake.params.raw),
        folder=Path(snakemake.output.info).parent,
        workers=snakemake.threads,
    )
