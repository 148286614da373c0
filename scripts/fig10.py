"""Draw one of figures 10 to 13: normalised absolute covariance, WAE beside MAAE."""

from maskaae.report.figures import fig10
from maskaae.report.figures.drawing import write_figure
from maskaae.report.selection import read_runs

frame = fig10.data(covariance=read_runs(snakemake.input.covariance), titles=snakemake.params.titles)
write_figure(frame, fig10.draw, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
