"""Fetch and check the published files of one source: the script of every `download_{source}` rule."""

import json
import logging
from pathlib import Path

from maskaae.data.download import download

logging.basicConfig(filename=snakemake.log[0], level=logging.INFO, format="%(message)s")
manifest = download(snakemake.params.source, Path(snakemake.params.raw))
Path(snakemake.output.manifest).write_text(json.dumps(manifest, indent=2) + "\n")
