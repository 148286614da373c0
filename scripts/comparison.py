"""Compare variants with their base: table and figure."""

from maskaae.config.experiment import groups_from_dicts
from maskaae.report import comparison
from maskaae.report.figures.drawing import write_pages
from maskaae.report.markup import write_document
from maskaae.report.selection import read_known, read_runs

frame = comparison.compare(
    groups_from_dicts(snakemake.params.groups),
    metrics=read_runs(snakemake.input.metrics, snakemake.params.presets),
    history=read_runs(snakemake.input.history, snakemake.params.presets),
    n=read_known(snakemake.input.info, "n"),
    metric=snakemake.params.metric,
)
table = comparison.summary(frame)
table.to_csv(snakemake.output.table, index=False)
write_document(comparison.as_markdown(table), snakemake.output.md, snakemake.output.html)
output = snakemake.output
write_pages(table, comparison.draw, by="group", csv=output.csv, pdf=output.pdf, png=output.png)
