"""Draw FID of every model against the assumed latent dimension."""

from maskaae.report.figures import over_capacity
from maskaae.report.figures.drawing import write_figure
from maskaae.report.selection import read_known, read_runs

frame = over_capacity.all_models_data(
    metrics=read_runs(snakemake.input.metrics, snakemake.params.presets),
    n=read_known(snakemake.input.info, "n"),
    metric=snakemake.params.metric,
    titles=snakemake.params.titles,
)
write_figure(
    frame, over_capacity.draw_all_models, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png
)
