"""Write table 1: FID of every model by two samplers, what it used of its latent space and what it cost."""

from pathlib import Path

from maskaae.report import table1
from maskaae.report.markup import LATEX, MARKDOWN, write_document
from maskaae.report.selection import read_runs

table = table1.table1(
    read_runs(snakemake.input.metrics, snakemake.params.presets),
    read_runs(snakemake.input.samplers, snakemake.params.presets),
    table1.read_minutes(snakemake.input.records),
    snakemake.params.metric,
    snakemake.params.titles,
)
table.to_csv(snakemake.output.csv, index=False)
write_document(table1.as_document(table, MARKDOWN), snakemake.output.md, snakemake.output.html)
Path(snakemake.output.tex).write_text(table1.as_document(table, LATEX), encoding="utf-8")
