"""Draw figure 9: the net that makes the synthetic data."""

from maskaae.figures import fig9
from maskaae.figures.output import read_info, write_figure

frame = fig9.data(read_info(snakemake.input.info), titles=snakemake.params.titles)
write_figure(frame, fig9.draw, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
