"""Write table 2: capacity, active dimensions and NAC of WAE and MAAE."""

from pathlib import Path

from maskaae.report import table2
from maskaae.report.markup import LATEX, MARKDOWN, write_document
from maskaae.report.selection import read_known, read_runs

table = table2.table2(read_runs(snakemake.input.metrics, snakemake.params.presets), snakemake.params.titles)
table.to_csv(snakemake.output.csv, index=False)
n = read_known(snakemake.input.info, "n")
stability = table2.stability_note(
    read_runs(snakemake.input.counts, snakemake.params.presets), n, snakemake.params.titles
)
write_document(table2.as_document(table, stability, MARKDOWN), snakemake.output.md, snakemake.output.html)
Path(snakemake.output.tex).write_text(table2.as_document(table, stability, LATEX), encoding="utf-8")
