"""Draw samples of every model, real images above them."""

from maskaae.report.figures import model_samples
from maskaae.report.figures.drawing import write_figure
from maskaae.report.selection import read_info, read_runs

frame = model_samples.data(
    samples=read_runs(snakemake.input.samples),
    shapes={info["name"]: info["shape"] for info in read_info(snakemake.input.info)},
    titles=snakemake.params.titles,
)
write_figure(frame, model_samples.draw, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
