"""Compare ways of finding the dimension: table and figure."""

import pandas as pd

from maskaae.report import dimensions
from maskaae.report.figures.drawing import write_figure
from maskaae.report.markup import write_document
from maskaae.report.selection import read_info, read_records, read_runs

rows = dimensions.compare(
    estimates=pd.concat([pd.read_csv(path) for path in snakemake.input.estimates]),
    metrics=read_runs(snakemake.input.metrics, snakemake.params.presets),
    seconds=read_records(snakemake.input.records, "seconds"),
    info=read_info(snakemake.input.info),
    metric=snakemake.params.metric,
)
table = dimensions.summarise(rows)
table.to_csv(snakemake.output.table, index=False)
text = dimensions.as_markdown(table, snakemake.params.titles)
write_document(text, snakemake.output.md, snakemake.output.html)
write_figure(table, dimensions.draw, snakemake.output.csv, snakemake.output.pdf, snakemake.output.png)
