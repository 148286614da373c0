"""Draw one of figures 10 to 13: normalised absolute covariance, WAE beside MAAE."""

from maskaae.figures import fig10
from maskaae.figures.output import read_runs, write_figure

frame = fig10.data(covariance=read_runs(snakemake.input.covariance), titles=snakemake.params.titles)
write_figure(frame, fig10.draw, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
