"""Draw figure 7: the ball cover of Lemma 1."""

from maskaae.report.figures import fig7
from maskaae.report.figures.drawing import write_figure

write_figure(fig7.data(), fig7.draw, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
