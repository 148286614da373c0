"""Draw FID of every model against the assumed latent dimension."""

from maskaae.report.figures import models_over_capacity
from maskaae.report.figures.drawing import write_figure
from maskaae.report.selection import read_info, read_runs

frame = models_over_capacity.data(
    metrics=read_runs(snakemake.input.metrics),
    n={info["name"]: info["n"] for info in read_info(snakemake.input.info)},
    metric=snakemake.params.metric,
    titles=snakemake.params.titles,
)
write_figure(
    frame, models_over_capacity.draw, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png
)
