"""Draw figure 9: the net that makes the synthetic data."""

from maskaae.report.figures import diagrams
from maskaae.report.figures.drawing import write_figure
from maskaae.report.selection import read_info

frame = diagrams.fig9_data(read_info(snakemake.input.info), titles=snakemake.params.titles)
write_figure(frame, diagrams.draw_fig9, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
