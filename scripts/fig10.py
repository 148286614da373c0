"""Draw one of figures 10 to 13: normalised absolute covariance, WAE beside MAAE."""

from maskaae.report.figures import covariance
from maskaae.report.figures.drawing import write_figure
from maskaae.report.selection import read_runs

frame = covariance.fig10_data(
    covariance=read_runs(snakemake.input.covariance, snakemake.params.presets), titles=snakemake.params.titles
)
write_figure(frame, covariance.draw_fig10, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
