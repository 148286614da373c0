"""Draw figure 6: random samples, real images beside them."""

from maskaae.report.figures import samples
from maskaae.report.figures.drawing import write_figure
from maskaae.report.selection import read_known, read_runs

frame = samples.fig6_data(
    samples=read_runs(snakemake.input.samples, snakemake.params.presets),
    shapes=read_known(snakemake.input.info, "shape"),
    titles=snakemake.params.titles,
)
write_figure(frame, samples.draw_fig6, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
