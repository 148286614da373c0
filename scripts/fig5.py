"""Draw figure 5: mask values over training at several capacities."""

from maskaae.figures import fig5
from maskaae.figures.output import read_info, read_runs, write_figure

frame = fig5.data(
    history=read_runs(snakemake.input.history),
    n={info["name"]: info["n"] for info in read_info(snakemake.input.info)},
    titles=snakemake.params.titles,
    threshold=snakemake.params.threshold,
)
write_figure(frame, fig5.draw, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
