"""Draw figure 5: mask values over training at several capacities."""

from maskaae.report.figures import over_training
from maskaae.report.figures.drawing import write_figure
from maskaae.report.selection import read_known, read_runs, read_search_steps

frame = over_training.fig5_data(
    history=read_runs(snakemake.input.history, snakemake.params.presets),
    n=read_known(snakemake.input.info, "n"),
    titles=snakemake.params.titles,
    threshold=snakemake.params.threshold,
    search=read_search_steps(snakemake.input.records),
)
write_figure(frame, over_training.draw_fig5, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
