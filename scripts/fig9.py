"""Draw figure 9: the net that makes the synthetic data."""

from maskaae.report.figures import fig9
from maskaae.report.figures.drawing import write_figure
from maskaae.report.selection import read_info

frame = fig9.data(read_info(snakemake.input.info), titles=snakemake.params.titles)
write_figure(frame, fig9.draw, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
