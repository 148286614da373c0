"""Draw figure 1: WAE's FID against the assumed latent dimension."""

import json
from pathlib import Path

from snakemake.script import snakemake

from maskaae.figures import fig1
from maskaae.figures.output import read_runs, write_figure

infos = [json.loads(Path(path).read_text()) for path in snakemake.input.info]
frame = fig1.data(
    metrics=read_runs(snakemake.input.metrics),
    n={info["name"]: info["n"] for info in infos},
    metric=snakemake.params.metric,
    titles=snakemake.params.titles,
)
write_figure(frame, fig1.draw, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
