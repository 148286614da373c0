"""Prepare one data set: the script of every `prepare_{source}` rule."""

import logging
import sys
from pathlib import Path

from maskaae.data.registry import SOURCES
from maskaae.logs import log_to

# The guard matters: the processes that decode images import this file again.
if __name__ == "__main__":
    log_to(snakemake.log[0])
    try:
        SOURCES[snakemake.params.spec["source"]].prepare(
            snakemake.params.spec,
            raw=Path(snakemake.params.raw),
            folder=Path(snakemake.output.info).parent,
            workers=snakemake.threads,
        )
    except (OSError, ValueError) as error:  # the message names file and row, and is all to read
        logging.error(error)
        logging.info("where it was found", exc_info=True)  # into the log only
        sys.exit(1)
