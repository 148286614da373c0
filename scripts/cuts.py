"""Draw what each latent dimension is worth: reconstruction and match of codes cut off after k of them."""

from maskaae.report.figures import cuts
from maskaae.report.figures.drawing import write_figure
from maskaae.report.selection import read_known, read_runs

frame = cuts.cuts_data(
    history=read_runs(snakemake.input.history, snakemake.params.presets),
    n=read_known(snakemake.input.info, "n"),
    longest=snakemake.params.longest,
    titles=snakemake.params.titles,
)
write_figure(frame, cuts.draw_cuts, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
