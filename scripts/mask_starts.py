"""Draw where every mask parameter started, and which dimensions are active at the end."""

from maskaae.report.figures import mask_starts
from maskaae.report.figures.drawing import write_figure
from maskaae.report.selection import read_known

frame = mask_starts.mask_starts_data(
    mask_starts.read_mask_starts(snakemake.input.checkpoints),
    presets=snakemake.params.presets,
    n=read_known(snakemake.input.info, "n"),
    titles=snakemake.params.titles,
    threshold=snakemake.params.threshold,
)
write_figure(
    frame, mask_starts.draw_mask_starts, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png
)
