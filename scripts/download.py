"""Fetch and check the published files of one source: the script of every `download_{source}` rule."""

import json
from pathlib import Path

from maskaae.data.published.download import download
from maskaae.logs import log_to

log_to(snakemake.log[0])
manifest = download(snakemake.params.source, Path(snakemake.params.raw), verify=snakemake.params.verify)
Path(snakemake.output.manifest).write_text(json.dumps(manifest, indent=2) + "\n")
