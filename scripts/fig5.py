"""Draw figure 5: mask values over training at several capacities."""

from maskaae.report.figures import fig5
from maskaae.report.figures.drawing import write_figure
from maskaae.report.selection import read_info, read_runs

frame = fig5.data(
    history=read_runs(snakemake.input.history),
    n={info["name"]: info["n"] for info in read_info(snakemake.input.info)},
    titles=snakemake.params.titles,
    threshold=snakemake.params.threshold,
)
write_figure(frame, fig5.draw, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
