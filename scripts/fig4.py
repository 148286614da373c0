"""Draw figure 4: FID and active dimensions against the assumed latent dimension."""

import json
from pathlib import Path

from snakemake.script import snakemake

from maskaae.figures import fig4
from maskaae.figures.output import read_runs, write_figure

infos = [json.loads(Path(path).read_text()) for path in snakemake.input.info]
frame = fig4.data(
    metrics=read_runs(snakemake.input.metrics),
    n={info["name"]: info["n"] for info in infos},
    metric=snakemake.params.metric,
    titles=snakemake.params.titles,
)
write_figure(frame, fig4.draw, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
