"""Draw figure 8: reconstruction error, Wasserstein estimate and FID over training."""

from maskaae.report.figures import over_training
from maskaae.report.figures.drawing import write_figure
from maskaae.report.selection import read_runs

frame = over_training.fig8_data(
    history=read_runs(snakemake.input.history, snakemake.params.presets),
    metrics=read_runs(snakemake.input.metrics, snakemake.params.presets),
    metric=snakemake.params.metric,
    titles=snakemake.params.titles,
)
write_figure(frame, over_training.draw_fig8, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
