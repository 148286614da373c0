"""Draw figure 7: the ball cover of Lemma 1."""

from maskaae.report.figures import diagrams
from maskaae.report.figures.drawing import write_figure

write_figure(
    diagrams.fig7_data(), diagrams.draw_fig7, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png
)
