"""Draw samples of every model, real images above them."""

from maskaae.report.figures import samples
from maskaae.report.figures.drawing import write_figure
from maskaae.report.selection import read_known, read_runs

frame = samples.model_samples_data(
    samples=read_runs(snakemake.input.samples, snakemake.params.presets),
    shapes=read_known(snakemake.input.info, "shape"),
    titles=snakemake.params.titles,
)
write_figure(
    frame, samples.draw_model_samples, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png
)
